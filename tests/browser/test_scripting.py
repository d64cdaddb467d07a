"""What a style says for pages without a script, or with one, holds: no other rule wins by being more specific."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Windows
from tests.conftest import Town

#: Every declaration under ``@media (scripting: …)``, for every element that it is about: those that do not hold.
LOSING = """
(mode) => {
  const lost = [];
  let found = 0;
  const check = (selector, style) => {
    for (const elt of document.querySelectorAll(selector)) {
      for (const name of style) {
        const wanted = style.getPropertyValue(name);
        const is = getComputedStyle(elt).getPropertyValue(name);
        elt.style.setProperty(name, wanted, "important");
        const would = getComputedStyle(elt).getPropertyValue(name);
        elt.style.removeProperty(name);
        found += 1;
        if (is !== would) lost.push(`${selector} { ${name}: ${wanted} } is ${is} on .${elt.className}`);
      }
    }
  };
  const walk = (rules, selector, within) => {
    for (const rule of rules) {
      let [inner, at] = [selector, within];
      if (rule instanceof CSSImportRule) { walk(rule.styleSheet.cssRules, selector, within); continue; }
      if (rule instanceof CSSMediaRule) {
        if (!matchMedia(rule.conditionText).matches) continue;
        at ||= rule.conditionText.includes(`scripting: ${mode}`);
      }
      if (rule instanceof CSSSupportsRule && !CSS.supports(rule.conditionText)) continue;
      if (rule instanceof CSSStyleRule) {
        inner = selector ? rule.selectorText.replaceAll("&", `:is(${selector})`) : rule.selectorText;
        if (selector && !rule.selectorText.includes("&")) inner = `:is(${selector}) ${rule.selectorText}`;
        if (at) check(inner, rule.style);
      }
      if (at && selector && rule.constructor.name === "CSSNestedDeclarations") check(selector, rule.style);
      if (rule.cssRules) walk(rule.cssRules, inner, at);
    }
  };
  for (const sheet of document.styleSheets) walk(sheet.cssRules, "", false);
  return { lost, found };
}
"""


@pytest.mark.parametrize("mode", ["none", "enabled"])
def test_no_rule_about_scripting_loses_to_another(mode: str, town: Town, windows: Windows):
    said = [town.bob.say(town.room, f"line {n}") for n in range(4)]
    direct = town.alice.post("/rooms/direct", person=town.bob.id).headers["Location"]
    for n in range(3):
        town.bob.say(direct.rpartition("/")[2], f"between us {n}")
    found = 0
    context = windows.context(town.alice, java_script_enabled=mode == "enabled")
    paths = [f"/rooms/{town.room}", f"/rooms/{town.room}/messages/{said[1].id}"]
    # With a script a conversation between two says otherwise of its own about the times.
    for path in paths + ([direct] if mode == "none" else []):
        page = context.new_page()
        page.goto(town.site.url + path)
        page.mouse.move(0, 0)
        result = page.evaluate(LOSING, mode)
        assert result["lost"] == [], path
        found += result["found"]
    assert found > 3


def test_the_way_to_edit_without_a_script_can_be_seen(town: Town, windows: Windows):
    for n in range(4):
        town.bob.say(town.room, f"line {n}")
    page = windows.open(town.alice, f"/rooms/{town.room}", java_script_enabled=False)
    shown = "[...document.querySelectorAll('#timeline .message__time')].map((each) => getComputedStyle(each).opacity)"
    assert page.evaluate(shown) == ["1"] * 4
