"""Some hundred pictures, each changed by chance from honest and hostile ones; `make fuzz` tries more."""

from tests.fuzz.pictures import run


async def test_every_mutated_picture_is_answered_within_bounds() -> None:
    findings = await run(300, seed=7)

    assert findings.wrong == []
    assert findings.tried == 300
    assert min(findings.answers["taken"], findings.answers["rejected"]) > 10
