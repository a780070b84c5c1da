"""What a reply has to show now: the job as rendered, less what Discord does not take there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from bot.clock import Clock
from bot.delivery.edits import Editor, fields_of
from bot.delivery.reply import Reply, file_notes, stem
from bot.delivery.routes import Fields
from bot.domain.jobs import Job
from bot.render import Room, render_job
from bot.render.messages import MAX_FILES, RenderedMessage
from bot.services.ports import KnowsSources

#: Buttons that act on the message that they are on: a copy does not have them.
OF_THE_REPLY = frozenset({"collect", "delete"})


class Drafts:
    """Renders jobs for their replies."""

    def __init__(self, sources: KnowsSources, clock: Clock, *, engines: bool = False) -> None:
        """`engines`: whether those of OSAIS are offered for what the Horde's workers do too."""
        self._engines = engines
        self._sources = sources
        self._clock = clock

    async def learn(self, reply: Reply, job: Job) -> None:
        """Find out what the source turned out to be: it is told once it was handed over."""
        if reply.facts is None and job.request.sources and (job.submitted_at or job.over):
            reply.facts = await self._sources.about(job.id)

    def render(self, reply: Reply, job: Job) -> RenderedMessage:
        """The job as its reply can show it, as far as is known by now."""
        notes = tuple(file_notes(reply, job))
        room = Room(can_post=not reply.alone, can_attach=not reply.bare)
        rendered = render_job(job, self._clock.now(), notes=notes, facts=reply.facts, room=room, engines=self._engines)
        files, more = (
            () if reply.bare else tuple(ref for ref in refs if reply.can_have(ref))
            for refs in (rendered.files, rendered.more_files)
        )
        return replace(rendered, files=files, more_files=more)


class Copies:
    """Shows jobs in messages of their own."""

    def __init__(self, drafts: Drafts, editor: Editor) -> None:
        self._drafts = drafts
        self._editor = editor

    async def of(self, job: Job, *, size_limit: int) -> AsyncIterator[Fields]:
        """What new messages have to carry to show a job as it is now: the first its words, together all its files."""
        reply = Reply(newest=replace(job, reply=replace(job.reply, size_limit=size_limit)), alone=True)
        await self._drafts.learn(reply, job)
        rendered = self._drafts.render(reply, job)
        rows = (tuple(one for one in row if one.verb not in OF_THE_REPLY) for row in rendered.controls)
        first = fields_of(replace(rendered, controls=tuple(filter(None, rows))))
        fields = {name: value for name, value in first.items() if value is not None}
        left = [*rendered.files, *rendered.more_files]
        while fields or left:
            files = await self._editor.uploads(reply, reply.newest, left[:MAX_FILES])
            sent = {stem(file.filename) for file in files}
            if fields or files:
                yield fields | {"files": files}
            fields = {}
            left = [ref for ref in left if stem(ref.name) not in sent and reply.can_have(ref)]
