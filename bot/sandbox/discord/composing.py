"""From a request's body to what a message shows: which files stay, which are new, and what points at them.

Discord's rules for files in an edit (Discord docs, "Editing Message Attachments") are the part that clients get wrong
most often:

* without an `attachments` array, uploads are **added** to what is there;
* with one, **only what it lists stays**: old files by their id, new ones by the n of their files[n];
* a file that an embed shows through `attachment://` leaves the list of attachments and lives in the embed, until the
  embeds are replaced; a later embed may name it again, by `attachment://` or by its address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from .attachments import AttachmentStore
from .component_rules import walk
from .errors import FormErrors, Refusal
from .message_rules import ATTACHMENTS
from .model import Json, StoredFile
from .payloads import STORED
from .uploads import Upload

_SCHEME: Final = "attachment://"


async def store_files(
    store: AttachmentStore, upload: Upload, *, place_id: int, limit: int, listed: Any
) -> dict[int, StoredFile]:
    """Keep the uploads of a request; one file above `limit` bytes refuses them all (413, 40005)."""
    if any(len(part.data) > limit for part in upload.files.values()):
        raise Refusal.TOO_LARGE.error()
    if len(upload.files) > ATTACHMENTS:
        errors = FormErrors()
        errors.length("attachments", upload.files, 0, ATTACHMENTS)
        errors.raise_if_any()
    meta = {str(item.get("id")): item for item in listed or [] if isinstance(item, dict)}
    stored = {}
    for number, part in sorted(upload.files.items()):
        about = meta.get(str(number), {})
        name = about.get("filename") or part.filename
        stored[number] = await store.add(name, part.data, place_id=place_id, description=about.get("description"))
    return stored


def choose_files(
    errors: FormErrors, listed: Any, *, present: Iterable[StoredFile], new: Mapping[int, StoredFile], edit: bool
) -> list[StoredFile]:
    """Return the files that a message has after the request, in order."""
    kept = {str(file.id): file for file in present}
    if listed is None:
        files = [*kept.values(), *new.values()]
    else:
        placed = {str(number): file for number, file in new.items()}
        files = []
        for number, item in enumerate(listed):
            key = str(item.get("id"))
            found = placed.get(key) or kept.get(key)
            if found is None:
                errors.add(
                    f"attachments.{number}.id", "ATTACHMENT_NOT_FOUND", f'No file or attachment has the id "{key}".'
                )
            else:
                files.append(found)
        if not edit:
            # A new message keeps uploads that the array forgets; an edit keeps only what it lists.
            files += [file for file in new.values() if file not in files]
    if len(files) > ATTACHMENTS:
        errors.length("attachments", files, 0, ATTACHMENTS)
    return files


class Media:
    """Resolves `attachment://` names and addresses of this message's own files; remembers which were used."""

    def __init__(self, store: AttachmentStore, files: Iterable[StoredFile]) -> None:
        self._store = store
        self._files = list(files)
        self.used: list[StoredFile] = []

    def embed(self, errors: FormErrors, embed: Json, path: str) -> Json:
        """Return an embed as Discord keeps it: typed "rich", its uploads replaced by marks."""
        kept: Json = {key: value for key, value in embed.items() if value is not None} | {"type": "rich"}
        for part, key in (("image", "url"), ("thumbnail", "url"), ("author", "icon_url"), ("footer", "icon_url")):
            if isinstance(kept.get(part), dict) and kept[part].get(key):
                url = self._resolve(errors, str(kept[part][key]), f"{path}.{part}.{key}")
                kept[part] = {**kept[part], key: url}
        return kept

    def component(self, errors: FormErrors, component: Json, path: str) -> Json:
        """Return a component with the uploads it shows replaced by marks."""
        kept = {key: value for key, value in component.items() if value is not None}
        for key in ("media", "file"):
            if isinstance(kept.get(key), dict) and kept[key].get("url"):
                kept[key] = {**kept[key], "url": self._resolve(errors, str(kept[key]["url"]), f"{path}.{key}.url")}
        for key in ("components", "items"):
            if isinstance(kept.get(key), list):
                kept[key] = [self.component(errors, c, f"{path}.{key}.{n}") for n, c in enumerate(kept[key])]
        for key in ("accessory", "component"):
            if isinstance(kept.get(key), dict):
                kept[key] = self.component(errors, kept[key], f"{path}.{key}")
        return kept

    def _resolve(self, errors: FormErrors, url: str, path: str) -> str:
        if url.startswith(_SCHEME):
            name = url.removeprefix(_SCHEME)
            found = next((file for file in self._files if name in {file.filename, file.original_name}), None)
            if found is None:
                code = "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND"
                errors.add(path, code, f"Referenced attachment {name!r} was not found")
                return url
        else:
            pointed = self._store.by_url(url)
            found = pointed if pointed in self._files else None
            if found is None:
                return url
        if found not in self.used:
            self.used.append(found)
        return f"{STORED}{found.id}"


def number_components(components: Iterable[Json]) -> None:
    """Give every component the `id` that Discord gives those without one."""
    everything = [component for _, component in walk(list(components))]
    taken = {component["id"] for component in everything if component.get("id")}
    free = 1
    for component in everything:
        if not component.get("id"):
            while free in taken:
                free += 1
            taken.add(free)
            component["id"] = free
