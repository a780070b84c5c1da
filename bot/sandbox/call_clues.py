"""What a remote call is about, read from its path, what was said and what was told: ids, messages, files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from bot.sandbox.control import Service
from bot.sandbox.job_links import Clues, job_named_in
from bot.sandbox.marks import mark

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_OSAIS_UID = re.compile(r"/client/request/(\d+)$")
_INTERACTION = re.compile(r"/interactions/(\d+)/([^/]+)/callback")
_WEBHOOK = re.compile(r"/webhooks/\d+/([^/]+)")
_MESSAGE = re.compile(r"/messages/(\d+)")
#: Files of the services, as answers name them.
_FILE = re.compile(r"(/(?:horde-transient|uploads)/[^\"?#\s\\]+)")
#: What hands something over that gets a remote id; a login gets none.
_SUBMISSION = re.compile(r"/(?:generate/(?:text/)?async|interrogate/async|client/ai/[^/]+)$")


def remote_id_of(service: Service, path: str, told: object) -> str | None:
    """Return the remote id a call was about, by its path or its answer: a Horde or OSAIS request, or a message."""
    if service is Service.OSAIS:
        found = _OSAIS_UID.search(path)
        return found[1] if found else _uid_in(told)
    if service is Service.HORDE and (found := _UUID.search(path)):
        return found[0]
    identity = told.get("id") if isinstance(told, Mapping) else None
    return identity if isinstance(identity, str) else None


def callback_id(said: object) -> str | None:
    """Return the remote id a callback is about: OSAIS calls it uid, the Horde request."""
    if not isinstance(said, Mapping):
        return None
    identity = said.get("uid", said.get("request"))
    return None if identity is None else str(identity)


def callback_clues(said: object) -> Clues:
    """Return where a call belongs that a service made by itself."""
    identity = callback_id(said)
    return Clues(names=() if identity is None else (f"remote:{identity}",), teaches=_files_in(said))


def clues_of(service: Service, method: str, path: str, *, said: object, told: object, status: int | None) -> Clues:
    """Return where a call of the bot belongs; `told` is None when it was cut off before the answer."""
    match service:
        case Service.DISCORD:
            return Clues(names=_discord_names(path), teaches=_messages_in(path, told), job=job_named_in(said))
        case Service.HORDE | Service.OSAIS:
            return _provider_clues(service, method, path, said=said, told=told, status=status)
        case Service.MEDIA:
            return Clues(names=(f"file:{path}",))
        case _:
            return Clues()


def _provider_clues(
    service: Service, method: str, path: str, *, said: object, told: object, status: int | None
) -> Clues:
    identity = remote_id_of(service, path, told)
    if method != "POST" or not _SUBMISSION.search(path):
        return Clues(names=() if identity is None else (f"remote:{identity}",), teaches=_files_in(told))
    # Known again by its very words when it is sent once more.
    body = f"body:{hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]}"
    remote = () if identity is None else (f"remote:{identity}",)
    if not remote or status is None or status >= 400:
        return Clues(names=(*remote, body), refused=True)
    return Clues(names=remote, teaches=(body,))


def _discord_names(path: str) -> tuple[str, ...]:
    names: list[str] = []
    if found := _INTERACTION.search(path):
        names += [f"interaction:{found[1]}", f"token:{mark(found[2])}"]
    elif found := _WEBHOOK.search(path):
        names.append(f"token:{mark(found[1])}")
    if found := _MESSAGE.search(path):
        names.append(f"message:{found[1]}")
    return tuple(names)


def _messages_in(path: str, told: object) -> tuple[str, ...]:
    """The message an answer shows: by itself, or as what came of an interaction's first answer."""
    if not isinstance(told, Mapping):
        return ()
    resource = told.get("resource")
    message = resource.get("message") if isinstance(resource, Mapping) else told
    shown = "/messages" in path or "/callback" in path or _WEBHOOK.search(path)
    identity = message.get("id") if shown and isinstance(message, Mapping) else None
    return (f"message:{identity}",) if identity else ()


def _files_in(value: object) -> tuple[str, ...]:
    return tuple(f"file:{path}" for path in _FILE.findall(json.dumps(value))) if value else ()


def _uid_in(told: object) -> str | None:
    data = told.get("data") if isinstance(told, Mapping) else None
    uid = data.get("uid") if isinstance(data, Mapping) else None
    return None if uid is None else str(uid)
