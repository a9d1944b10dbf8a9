"""The registry of what can be said about a discharge: why it is invalid, why it has no group, and what is doubtful.

One home for codes and words: batches, explanations, validation and documentation read it from here. A batch keeps
its findings as bits
of an int64, so the place of a finding in :data:`FINDINGS` is its bit.
"""

from __future__ import annotations

from dataclasses import dataclass

from drgsim.language import bilingual, text

INVALID, REASON, WARNING = "invalid", "reason", "warning"


@dataclass(frozen=True)
class Finding:
    """One thing that can be said about a discharge.

    Attributes
    ----------
    code
        Stable name, as it stands in the columns ``reason`` and ``warnings``.
    kind
        ``invalid``: no rule can be applied; ``reason``: why no plain group was found; ``warning``: a doubt that
        changes no group.
    title, title_zh
        What it means: in the language of the reader, and in Chinese.
    fix
        What the coder or the data engineer can do.
    """

    code: str
    kind: str
    title: str
    title_zh: str
    fix: str


def _f(code: str, kind: str, title: str, title_zh: str, fix: str) -> Finding:
    return Finding(code, kind, bilingual(title, title_zh), title_zh, fix)


_CODING = text("check the code against the medical record and the national dictionary")
_SPECIFIC = text("choose the specific code that the record supports; drgsim codes show CODE lists those that are usable")
_VALUE = text("correct the value in the source system")

FINDINGS: tuple[Finding, ...] = (
    # invalid: in the order in which a reason is chosen
    _f(
        "line_broken",
        INVALID,
        "the line does not fit the header, or is no valid JSON",
        "行的列数与表头不符，或JSON无法解析",
        text("quote cells that hold the separator; export the record again"),
    ),
    _f(
        "principal_missing",
        INVALID,
        "there is no principal diagnosis",
        "缺主要诊断",
        text("code the principal diagnosis first in the list"),
    ),
    _f(
        "code_unreadable",
        INVALID,
        "a cell of diagnoses or procedures holds an error of the spreadsheet or a formula without a value",
        "诊断或手术单元格为表格错误值或无结果的公式",
        text("open the file in the spreadsheet program, mend or calculate the cell, and save it again"),
    ),
    _f("age_impossible", INVALID, "the age in years is below 0 or above 150", "年龄超出可能范围", _VALUE),
    _f("age_days_impossible", INVALID, "the age in days is below 0 or above 55,000", "日龄超出可能范围", _VALUE),
    _f(
        "weight_impossible",
        INVALID,
        "the birth weight is below 0 or above 20,000 g",
        "出生体重超出可能范围",
        text("give the weight in grams"),
    ),
    _f("los_impossible", INVALID, "the length of stay is below 0 or above 36,500 days", "住院天数超出可能范围", _VALUE),
    _f(
        "icu_hours_impossible",
        INVALID,
        "the hours in intensive care are below 0 or above 876,000",
        "监护室小时超出可能范围",
        _VALUE,
    ),
    # reasons: why a discharge is ungroupable or ambiguous, in the order in which one is chosen
    _f(
        "principal_unknown",
        REASON,
        "no group: the principal diagnosis is not in the national dictionary",
        "未入组：主要诊断编码不在医保版字典",
        _CODING,
    ),
    _f(
        "principal_grey",
        REASON,
        "no group: the principal diagnosis is a grey code, which may not be principal",
        "未入组：主要诊断为灰码",
        text("choose the more specific code that the record supports"),
    ),
    _f(
        "procedure_outside_mdc",
        REASON,
        "the procedure fits no group of the principal diagnosis' MDC",
        "手术操作与主要诊断不匹配（歧义）",
        text("check the choice of principal diagnosis and principal procedure"),
    ),
    _f(
        "ambiguous_diagnosis",
        REASON,
        "diagnosis, sex and age do not fit together",
        "诊断与性别、年龄不符（歧义）",
        text("check sex, age and the principal diagnosis"),
    ),
    _f(
        "mdc_rule_not_met",
        REASON,
        "the MDC that lists the principal diagnosis asks for more (sex, age or other diagnoses)",
        "主要诊断所属MDC的其他条件不满足",
        text("check sex, age and the other diagnoses"),
    ),
    _f(
        "no_group_in_mdc",
        REASON,
        "an MDC holds but none of its groups does",
        "已入MDC但无对应细分组",
        text("check the principal diagnosis; see drgsim explain"),
    ),
    _f("principal_in_no_mdc", REASON, "no MDC lists the principal diagnosis", "主要诊断不属于任何MDC", _CODING),
    _f(
        "dip_excluded",
        REASON,
        "the excluded list of the DIP catalogue names the diagnosis or combination",
        "属于DIP目录排除列表",
        text("check the choice of principal diagnosis; a combination that is excluded is paid otherwise"),
    ),
    _f(
        "dip_no_kind",
        REASON,
        "no kind of the DIP catalogue covers the diagnosis with these procedures",
        "DIP目录无对应病种",
        text("check diagnosis and procedures; drgsim explain shows which kinds were tried"),
    ),
    _f(
        "dip_no_level",
        REASON,
        "kinds of the DIP catalogue fit, but none is listed for the auxiliary level of the case",
        "DIP目录无对应辅助分型等级",
        text("check stay, age, other diagnoses and discharge way; drgsim explain shows the levels that were tried"),
    ),
    # warnings
    _f(
        "principal_unknown_code",
        WARNING,
        "the principal diagnosis is not in the national dictionary",
        "主要诊断编码未知",
        _CODING,
    ),
    _f(
        "principal_grey_code",
        WARNING,
        "the principal diagnosis is a grey code, which may not be principal",
        "主要诊断为灰码",
        _CODING,
    ),
    _f("other_diagnosis_unknown", WARNING, "another diagnosis is not in the national dictionary", "其他诊断编码未知", _CODING),
    _f("procedure_unknown", WARNING, "a procedure is not in the national dictionary", "手术操作编码未知", _CODING),
    _f(
        "procedure_restored",
        WARNING,
        "a procedure that a spreadsheet turned into a number or a date is read as the only code that fits",
        "手术编码被表格改为数字或日期，已按唯一匹配编码还原",
        text("format the column as text before codes are entered or exported"),
    ),
    _f(
        "procedure_damaged",
        WARNING,
        "a procedure is a number or a date, as a spreadsheet makes of codes, and fits no code or several",
        "手术编码疑被表格改为数字或日期，无法还原",
        text("look the code up in the source system; format the column as text before codes are exported"),
    ),
    _f("principal_procedure_grey", WARNING, "the principal procedure is a grey code", "主要手术为灰码", _CODING),
    _f(
        "principal_procedure_missing",
        WARNING,
        "the principal procedure is blank though others are listed",
        "缺主要手术而有其他手术",
        text("put the principal procedure first"),
    ),
    _f(
        "other_diagnosis_grey",
        WARNING,
        "another diagnosis is a grey code: a heading that a settlement list may not state",
        "其他诊断为灰码",
        _SPECIFIC,
    ),
    _f(
        "other_procedure_grey",
        WARNING,
        "another procedure is a grey code: a heading that a settlement list may not state",
        "其他手术操作为灰码",
        _SPECIFIC,
    ),
    _f(
        "pair_joined",
        WARNING,
        "the dagger and the asterisk half of a diagnosis stood apart and are read as the pair of the dictionary",
        "剑号与星号编码分列，已按字典合并为一个编码",
        text("state the pair as one code, such as A01.002+G01*"),
    ),
    _f("sex_missing", WARNING, "the sex is missing", "缺性别", _VALUE),
    _f("sex_unreadable", WARNING, "the sex is neither 1 nor 2 and counts as missing", "性别既非1也非2，按缺失处理", _VALUE),
    _f("age_missing", WARNING, "the age in years is missing", "缺年龄", _VALUE),
    _f("age_unreadable", WARNING, "the age in years is not a number and counts as missing", "年龄无法识别，按缺失处理", _VALUE),
    _f("age_fraction", WARNING, "an age is not a whole number and is rounded down", "年龄非整数，向下取整", _VALUE),
    _f(
        "age_days_missing",
        WARNING,
        "the age in days is missing under one year",
        "不足一周岁而缺日龄",
        text("give the age in days, or the dates of birth and admission"),
    ),
    _f(
        "age_days_unreadable",
        WARNING,
        "the age in days is not a number and counts as missing",
        "日龄无法识别，按缺失处理",
        _VALUE,
    ),
    _f("age_conflict", WARNING, "age in years and age in days contradict each other", "年龄与日龄矛盾", _VALUE),
    _f(
        "age_dates_conflict",
        WARNING,
        "the dates of birth and admission give another age than the one stated, which counts",
        "年龄与出生、入院日期不符，按所填年龄",
        text("correct the age or the dates in the source system"),
    ),
    _f(
        "age_days_estimated",
        WARNING,
        "the age in days is counted from months (30.4 days each), or 0 for 新生儿",
        "日龄由月龄折算（新生儿按0天）",
        text("give the age in days, or the dates of birth and admission"),
    ),
    _f(
        "newborn_weight_missing",
        WARNING,
        "a newborn up to 28 days has no birth weight",
        "新生儿缺出生体重",
        text("give the weight in grams"),
    ),
    _f(
        "weight_unreadable",
        WARNING,
        "the birth weight is not a number and counts as missing",
        "出生体重无法识别，按缺失处理",
        _VALUE,
    ),
    _f(
        "weight_too_low",
        WARNING,
        "the birth weight is below 200 g, as kilograms would be, and counts as missing",
        "出生体重低于200克（或为千克），按缺失处理",
        text("give the weight in grams"),
    ),
    _f(
        "weight_from_kilograms",
        WARNING,
        "the birth weight is in kilograms, as it says itself or as all weights of the file are, and is converted to grams",
        "出生体重以千克填写（单元格注明或全列均为千克），已换算为克",
        text("give the weight in grams"),
    ),
    _f(
        "los_missing", WARNING, "the length of stay, which this scheme asks for, is missing", "缺住院天数（本方案需要）", _VALUE
    ),
    _f(
        "los_unreadable",
        WARNING,
        "the length of stay is not a number and counts as missing",
        "住院天数无法识别，按缺失处理",
        _VALUE,
    ),
    _f(
        "icu_hours_missing",
        WARNING,
        "the hours in intensive care, which this scheme asks for, are missing",
        "缺监护室小时（本方案需要）",
        _VALUE,
    ),
    _f(
        "icu_hours_unreadable",
        WARNING,
        "the hours in intensive care are not a number and count as missing",
        "监护室小时无法识别，按缺失处理",
        _VALUE,
    ),
    _f(
        "discharge_way_missing",
        WARNING,
        "the discharge way, which this scheme asks for, is missing",
        "缺离院方式（本方案需要）",
        _VALUE,
    ),
    _f("department_missing", WARNING, "the department, which this scheme asks for, is missing", "缺科室（本方案需要）", _VALUE),
    _f(
        "code_without_counterpart",
        WARNING,
        "a code has no counterpart in the edition of the schemes and counts as unknown (--code-version)",
        "编码在医保版无对照，按未知编码处理",
        text("code the record in 医保版 2.0, or check that the file is in the edition that was named"),
    ),
    _f(
        "auxiliary_level_unlisted",
        WARNING,
        "a more specific DIP kind fitted but has no line for the auxiliary level of the case",
        "更具体的病种未设该辅助分型等级",
        text("nothing, if the record is right: the catalogue has no line for it"),
    ),
    _f(
        "dip_tie",
        WARNING,
        "several DIP kinds fitted equally well: the order of the catalogue decided",
        "多个病种同等匹配，按目录次序取第一个",
        text("add a step to matching.ties of the catalogue"),
    ),
    _f(
        "dip_cost_missing",
        WARNING,
        "the total cost, by which the catalogue decides between kinds, is missing",
        "缺总费用（本目录用于选择病种）",
        _VALUE,
    ),
    _f("id_missing", WARNING, "the discharge has no id", "缺病案标识", text("give every discharge its own id")),
    _f(
        "id_rounded",
        WARNING,
        "the id is a rounded number (2.02E+09, or more digits than a spreadsheet keeps): it cannot be joined back",
        "病案标识为被舍入的数字（科学计数法或超出位数），无法对回",
        text("format the column as text before ids are entered or exported"),
    ),
    _f("id_duplicate", WARNING, "an earlier record has the same id", "病案标识重复", text("give every discharge its own id")),
)

BITS: dict[str, int] = {finding.code: bit for bit, finding in enumerate(FINDINGS)}
BY_CODE: dict[str, Finding] = {finding.code: finding for finding in FINDINGS}
assert len(FINDINGS) <= 62, "findings are kept as bits of one int64"


def mask_of(kind: str) -> int:
    """Bits of all findings of a kind."""
    return sum(1 << bit for bit, finding in enumerate(FINDINGS) if finding.kind == kind)


def codes_in(mask: int, kind: str | None = None) -> list[str]:
    """Codes of the findings in a mask, in the order of the registry."""
    return [f.code for bit, f in enumerate(FINDINGS) if mask >> bit & 1 and (kind is None or f.kind == kind)]
