"""How a case was settled (结算类别): the classes that rules give."""

from __future__ import annotations

from enum import StrEnum


class CaseClass(StrEnum):
    """How a case was settled, with the Chinese term."""

    NORMAL = "normal"
    HIGH = "high"
    LOW = "low"
    INCOMPLETE = "incomplete"
    OVER_60_DAYS = "over_60_days"
    EXEMPT = "exempt"
    SPECIAL_REVIEW = "special_review"
    BY_ITEM = "by_item"
    PER_DIEM = "per_diem"
    FIXED = "fixed"
    AMBIGUOUS = "ambiguous"
    UNGROUPED = "ungrouped"
    SELF_PAY = "self_pay"
    UNPAID = "unpaid"


CASE_CLASS_ZH = {
    CaseClass.NORMAL: "正常", CaseClass.HIGH: "高倍率", CaseClass.LOW: "低倍率", CaseClass.INCOMPLETE: "住院过程不完整",
    CaseClass.OVER_60_DAYS: "超长住院", CaseClass.EXEMPT: "除外支付", CaseClass.SPECIAL_REVIEW: "特例单议",
    CaseClass.BY_ITEM: "按项目", CaseClass.PER_DIEM: "按床日", CaseClass.FIXED: "定额", CaseClass.AMBIGUOUS: "歧义组",
    CaseClass.UNGROUPED: "未入组", CaseClass.SELF_PAY: "自费", CaseClass.UNPAID: "未结算",
}  # fmt: skip
OUTSIDE_GROUPS = (  # paid their bill or per day, whatever their group
    CaseClass.OVER_60_DAYS, CaseClass.BY_ITEM, CaseClass.UNGROUPED, CaseClass.AMBIGUOUS, CaseClass.PER_DIEM,
    CaseClass.SELF_PAY,
)  # fmt: skip
CLASSES = tuple(CaseClass)  # arrays hold the place of a class here
