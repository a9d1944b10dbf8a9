"""Texts are English strings that can be given in Chinese; the catalogue of translations is complete."""

import pickle

import pytest

from drgsim.language import Text, choose_language, counted, current_language, joined, speaking, spoken, term, text
from tools.messages import problems

PAIR = ("{what} is not {wanted}", "{what}不是{wanted}")


@pytest.fixture(autouse=True)
def known(monkeypatch):
    held = {PAIR[0]: PAIR[1], "{count} case": "{count:,} 例", "high": "高倍率", "low": "低倍率"}
    in_context = {("of a person", "weight"): "体重"}
    monkeypatch.setattr(
        "drgsim.language.catalogue.translated",
        lambda language, template, context=None: in_context.get((context, template)) or held.get(template, template),
    )


def test_a_text_is_its_english_and_keeps_what_it_is_made_of():
    made = text(PAIR[0], what="age", wanted=text("high"))
    assert made == "age is not high"
    assert (spoken(made, "zh"), spoken(made, "en")) == ("age不是高倍率", "age is not high")
    assert type(spoken(made, "en")) is str
    copy = pickle.loads(pickle.dumps(made))
    assert (copy, spoken(copy, "zh")) == (made, "age不是高倍率")


def test_plurals_contexts_and_lists():
    assert [counted(n, "{count} case", "{count:,} cases") for n in (1, 0, 1200)] == ["1 case", "0 cases", "1,200 cases"]
    assert [spoken(counted(n, "{count} case", "{count:,} cases"), "zh") for n in (1, 1200)] == ["1 例", "1,200 例"]
    assert (spoken(term("of a person", "weight"), "zh"), spoken(text("weight"), "zh")) == ("体重", "weight")
    both = joined(", ", [text("high"), "{x}", text("low")])
    assert (both, spoken(both, "zh")) == ("high, {x}, low", "高倍率, {x}, 低倍率")
    assert spoken(pickle.loads(pickle.dumps(both)), "zh") == "高倍率, {x}, 低倍率"
    assert spoken([text("high"), 3], "zh") == ["高倍率", 3]


def test_values_are_never_templates():
    hostile = text(PAIR[0], what="{0.__class__}", wanted="{nothing}")
    assert spoken(hostile, "zh") == "{0.__class__}不是{nothing}"
    assert Text("100 % of {braces}") == "100 % of {braces}"


def test_which_language_is_spoken(monkeypatch):
    monkeypatch.setenv("DRGSIM_LANG", "zh_CN")
    assert current_language() == "zh"
    with speaking("en"):
        assert current_language() == "en"
        assert spoken(text("high")) == "high"
    assert spoken(text("high")) == "高倍率"
    monkeypatch.setenv("DRGSIM_LANG", "fr")
    with pytest.warns(UserWarning, match="DRGSIM_LANG"):
        assert current_language() == "en"
    with pytest.raises(ValueError, match="speaks"):
        choose_language("fr")


def test_the_catalogue_is_complete():
    assert problems("zh") == []
