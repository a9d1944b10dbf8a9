"""What the supervision lists are called, what each looks at, and what may explain it without any fault.

The words accuse nobody: a list says what is worth a look and why, and always beside it what else may be the reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from drgsim.language import Text, text


@dataclass(frozen=True)
class ListWords:
    """Words of a list: its title, what puts a case or a hospital on it, and what explains it innocently."""

    title: Text
    what: Text
    innocent: Text


SEVERITY = "severity"  # compared by hospital only
WORDS = {
    "coding": ListWords(
        text("coding faults"),
        text("principal diagnosis or procedure missing, unknown or grey, unknown codes, or an age that contradicts the codes"),
        text("an export that drops a column, an older edition of the codes, new codes that the dictionary does not hold yet"),
    ),
    "repeat": ListWords(
        text("repeat admission"),
        text("the same patient came back to the same hospital soon, with the same category of principal diagnosis"),
        text("treatment in planned steps, a relapse, another stage of the same disease"),
    ),
    "split_stay": ListWords(
        text("stays that may have been one"),
        text("a return soon after going home, and both stays together cost about what one stay of the group does"),
        text("two mild episodes, a result that was waited for at home, an operation that was put off"),
    ),
    "low_standard": ListWords(
        text("low-standard admission"),
        text("a short stay without complication or operative procedure, at a fraction of the mean cost of the group"),
        text("a suspicion that was not confirmed, a patient who wished to leave, the lower prices of a small hospital"),
    ),
    "extra_long": ListWords(
        text("extra-long stay"),
        text("a stay far above the mean stay of the group"),
        text("rehabilitation, severe illness, no place in after-care"),
    ),
    "severity_misfit": ListWords(
        text("light for its severity"),
        text("a group of higher severity, at a fraction of what the lighter groups of its family cost, and no longer stay"),
        text("a complication that was treated early or cheaply, the lower prices of a small hospital"),
    ),
    "low_risk_death": ListWords(
        text("death in a low-risk group"),
        text("a death in a group of which few patients die"),
        text("palliative care, an illness that the codes do not show, a transfer in the last hours"),
    ),
    SEVERITY: ListWords(
        text("more severe cases than its groups would have"),
        text("the share of cases of higher severity, against hospitals with the same families of groups"),
        text("a hospital to which others refer their severest patients, more complete coding than elsewhere"),
    ),
}
