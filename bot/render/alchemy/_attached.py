"""The files of a job that works on a picture, and the buttons below them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.domain.alchemy import Form, FormArtifact
from bot.domain.jobs import AlchemyJob
from bot.render import form_values, phrases
from bot.render.messages import PREVIEW, Control, Drawn, FileRef
from bot.render.progress import running_controls


def files(job: AlchemyJob) -> Iterator[FileRef]:
    """List everything to attach, in order of arrival, so that what hangs there already stays where it is."""
    for artifact in job.forms:
        if not artifact.usable:
            continue
        if artifact.has_file:
            yield FileRef(name=job.file_name(artifact), index=artifact.index)
        stem = job.file_stem(artifact.index)
        if artifact.form is Form.VECTORIZE and artifact.has_file:
            yield FileRef(name=f"{stem}{PREVIEW}", index=artifact.index, drawn=Drawn.PREVIEW)
        if artifact.form is Form.PALETTE and form_values.colours_of(artifact):
            yield FileRef(name=f"{stem}-palette.png", index=artifact.index, drawn=Drawn.SWATCH)


def controls(job: AlchemyJob, *, can_collect: bool) -> tuple[tuple[Control, ...], ...]:
    """The rows of buttons: what can be done with what came, then what can be done with the job."""
    if job.result is None:
        return (running_controls(job, can_collect=can_collect),)
    again = phrases.AGAIN if job.usable else phrases.TRY_AGAIN
    return tuple(filter(None, (tuple(_extras(job)), phrases.ended_controls(job, again, can_collect=can_collect))))


def words_to_paint(job: AlchemyJob) -> str:
    """What 🎨 Imagine this begins with: the caption, or else the description; empty without either."""
    done = _done(job)
    for form in (Form.CAPTION, Form.DESCRIBE):
        if form in done and (text := form_values.text_of(done[form])):
            return text
    return ""


def _extras(job: AlchemyJob) -> Iterator[Control]:
    if words_to_paint(job):
        yield phrases.IMAGINE_THIS
    tags = _done(job).get(Form.TAGS)
    if tags is not None and form_values.tags_of(tags):
        yield phrases.ALL_TAGS


def _done(job: AlchemyJob) -> Mapping[Form, FormArtifact]:
    return {artifact.form: artifact for artifact in job.forms if artifact.usable}
