"""What each section of a policy is, in a sentence, for those who write one."""

from __future__ import annotations

from collections.abc import Mapping

from drgsim.language import Text, text

# section of policy.yaml -> what it is
SECTIONS: Mapping[str, Text] = {
    "id": text("Names and dates. scheme: what cases are grouped by; verified: the day on which the values were last compared."),
    "sources": text("Where values come from. Add those of the region and name them as source of the values that rest on them."),
    "notes": text("What a reader has to doubt; policy show prints it."),
    "include": text(
        "Files of sections to add, such as examples/psychiatric; what they state the policy must not state otherwise."
    ),
    "shadow": text("true: every case is paid by item, and what its group would pay is told beside it (模拟结算)."),
    "unit_value_from_history": text("true: where no unit value is stated, the cost per relative value of the past is it."),
    "unit_value": text("Yuan per unit of relative value (费率、点值), by level, insurance or both; * stands for all others."),
    "budget": text("The fund's budget of the year, yuan, by insurance: the unit value follows from it."),
    "curves": text(
        "Payment curves: what a case is paid by its cost ratio r = cost / reference. main is that of ordinary groups."
    ),
    "group_classes": text("Groups that are paid another way, by class of the table, list of groups, tags or kinds."),
    "ambiguous": text("What a case in an ambiguous group (歧义组) is paid by."),
    "ungrouped": text("What a case without a group (未入组) is paid by."),
    "age_factors": text("Factors on the relative value for patients below an age."),
    "extreme_cap": text("Share of a hospital's discharges up to which cases are paid as high."),
    "year_weights": text("Weights of the years that relative values are estimated from, the oldest first."),
    "prepayment": text("Months that are paid in advance (预付金)."),
    "deposit": text("Share that is held back until the assessment (质量保证金)."),
    "adjustment_fund": text("Share of the budget held back for adjustments (调节金)."),
    "other_copies": text("Other tables of the same policy, and what they say otherwise."),
    "members": text("Institutions that the policy pays by groups (试点机构); all others are paid by item."),
    "group_selection": text("Groups that are paid by groups; all others are paid by item (按项目)."),
    "relative_value": text(
        "Weights, points or scores; scale turns a weight into the policy's own unit: points = 100 x weight."
    ),
    "reference": text("What a cost is compared with, the nearest first; without any, the price of the group."),
    "coefficient": text("Hospital coefficients (差异系数) beside those that hospitals and cases bring themselves."),
    "stays": text("Stays outside the curve: those longer than long_days are paid by item."),
    "courses": text("Courses of treatment that are paid as one."),
    "hospital_classes": text(
        "The city's own class of a hospital of which only the level is known: level -> class (医疗机构类别)."
    ),
    "readmission": text("A return in the same group within some days multiplies the points of the earlier stay."),
    "unstable": text("Groups whose costs spread too widely, or that have too few cases (非稳定组), and how they are settled."),
    "per_diem": text("Payment per bed day (按床日): yuan, or points for the points method."),
    "single_disease": text(
        "Single diseases (单病种): the fund pays a fixed amount per case, the patient the rest up to a limit."
    ),
    "special_review": text("Cases that a hospital puts forward for single review (特例单议): at most quota of its discharges."),
    "exempt": text("Payment beside the group for new drugs and technology (除外支付)."),
    "procurement": text("Volume-based procurement (带量采购): who keeps the surplus, by class of product."),
    "capitation": text("Payment per head for chronic conditions (按人头)."),
    "patient_share": text("How the fund's part follows from the amount."),
    "trimming": text("Trimming (裁剪) that the policy states for its own weights."),
    "floating": text("Floating point value (浮动点值): a share of the budget value, the rest of the settlement value."),
    "clearing": text("Yearly clearing (年度清算): what the fund owes x assessment - deductions - prepaid."),
}
