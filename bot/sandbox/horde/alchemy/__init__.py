"""Alchemy of the simulated horde: `POST /interrogate/async` and what its workers, the alchemists, make of a picture.

How a call travels: `views` -> `forms` (schema) -> `intake` (business rules, `sources`) -> `book`. How it moves: `floor`
lets each of the `alchemists` take forms and has `results` computed off the loop from the picture's real pixels:
`colours` and `words` describe, `vector` draws an SVG, `changing` makes new pictures. Tests pull `levers`.
"""
