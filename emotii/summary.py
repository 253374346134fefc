"""What an analysis says at its end."""

from pathlib import Path

from rich.console import Console

from emotii.outcomes import Outcomes
from emotii.table import Table


def summarise(table: Table, outcomes: Outcomes, stated_frames: int | None, path: Path, console: Console) -> None:
    """Print what was found, and in warning lines what was not.

    Args:
        table: was written.
        outcomes: all of the job.
        stated_frames: so many frames the file says that it holds; None if it does not say.
        path: the table's.
        console: where to.
    """
    faces = f"{table.rows} faces of {len(table.tracks)} tracks in {outcomes.handed_out} frames"
    console.print(f"{path}: {faces}", highlight=False, markup=False)
    classified = table.emotions.total()
    shares = [f"{emotion} {100 * count / classified:.0f}%" for emotion, count in table.emotions.most_common()]
    if shares:
        console.print(f"Emotions: {', '.join(shares)}", highlight=False, markup=False)
    for warning in _warnings(table, outcomes, stated_frames):
        console.print(warning, style="yellow", highlight=False, markup=False)


def _warnings(table: Table, outcomes: Outcomes, stated_frames: int | None) -> list[str]:
    warnings = []
    if outcomes.unreadable:
        first, count = outcomes.unreadable[0], len(outcomes.unreadable)
        warnings.append(
            f"{_many(count, 'frame')} could not be read, the first is number {first.id.frame}: {first.note}"
        )
    if stated_frames is not None and outcomes.handed_out < stated_frames:
        warnings.append(f"The recording ended at {outcomes.handed_out} of the {stated_frames} frames that it states.")
    if table.buried:
        one, count = table.buried[0], len(table.buried)
        warnings.append(f"{_many(count, 'face')} could not be classified, the first in frame {one.frame}: {one.reason}")
    return warnings


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
