"""An attribute's own gates: set and kept with who did it, refused by name, binding from the next promotion on."""

from __future__ import annotations

import pytest

from attune.labeler.catalog import gate_bounds
from attune.labeler.catalog.alias_history import history
from attune.labeler.catalog.promote import Move, promote
from attune.labeler.settings import Settings
from attune.models.errors import DataError, GateFailed


def test_what_is_set_stays_with_who_and_when_and_the_rest_as_it_was(settings: Settings) -> None:
    before = {one.name: one for one in gate_bounds.bounds(settings, "serious")}
    assert not any(one.enforced or one.by for one in before.values())
    gate_bounds.change(settings, "serious", "olga", {"audit_lower_bound": "0.75"}, {"audit_lower_bound": True})
    gate_bounds.change(settings, "serious", "bo", {"calibration": 0.1}, {"calibration": False})
    after = {one.name: one for one in gate_bounds.bounds(settings, "serious")}
    held = after.pop("audit_lower_bound")
    assert (held.bound, held.enforced, held.by) == (0.75, True, "olga")
    before.pop("audit_lower_bound")
    assert after == before
    assert gate_bounds.bounds(settings, "romance")[1].bound == 0.5


@pytest.mark.parametrize(
    ("values", "enforced", "said"),
    [
        (
            {"audit_lower_bound": "1.5"},
            {},
            r"audit_lower_bound: '1.5' is not a possible bound. Expected a number from 0 to 1",
        ),
        ({"calibration": "low"}, {}, "calibration: 'low' is not a possible"),
        ({"calibration": "nan"}, {}, "calibration: 'nan' is not a possible"),
        ({"calibration": "inf"}, {}, "calibration: 'inf' is not a possible"),
        ({"audit_lower": "0.5"}, {}, "'audit_lower' does not exist. Did you mean audit_lower_bound"),
        ({"agreement": "0.5"}, {"everything": True}, "'everything' does not exist"),
    ],
)
def test_a_mistake_names_its_gate_and_changes_nothing(
    settings: Settings, values: dict[str, str], enforced: dict[str, bool], said: str
) -> None:
    before = gate_bounds.bounds(settings, "serious")
    with pytest.raises(DataError, match=said):
        gate_bounds.change(settings, "serious", "olga", {"audit_answers": 10} | values, enforced)
    assert gate_bounds.bounds(settings, "serious") == before


def test_an_enforced_gate_stops_a_promotion_until_its_owner_says_otherwise(settings: Settings) -> None:
    gate_bounds.change(settings, "serious", "olga", {"audit_lower_bound": 0.65}, {"audit_lower_bound": True})
    promote(settings, Move("serious", 3, "passes: .7", "olga"))
    with pytest.raises(GateFailed, match=r"audit_lower_bound: 0\.500, bound 0\.65"):
        promote(settings, Move("serious", 1, "r", "olga"))
    promote(settings, Move("serious", 1, "the demo needs it", "olga", override=True))
    kept = {gate["name"]: gate for gate in history(settings, "serious")[-1].gates}
    assert (kept["audit_lower_bound"]["passed"], kept["audit_lower_bound"]["enforced"]) == (False, True)
