"""The Horde's refusals of texts in our own words; everything else is told as for pictures."""

from __future__ import annotations

from bot.errors import ContentRefused, KudosNeeded, ProviderError, Rejected
from bot.http import Answer
from bot.providers.horde.errors import error_of

_SHORTER = "Please choose a shorter `length` and try again."
_SENTENCES = {
    "MissingPrompt": "There is nothing to answer. Ask me something, and try again.",
    "InvalidPromptSize": "That is too long for the AI Horde. Please shorten it and try again.",
    "TokenOverflow": f"The answer would be longer than what the model can keep in mind. {_SHORTER}",
    "TooManyStopSequences": "Too many people have spoken in this conversation. Please start a new one.",
    "ExcessiveStopSequence": "Too many people have spoken in this conversation. Please start a new one.",
    "KudosUpfront": f"The AI Horde asks for kudos in advance for an answer this long. {_SHORTER}",
    "SharedKeyEmpty": "The bot's key has no kudos left for answers. Please tell whoever runs the bot.",
    "SharedKeyInsufficientKudos": f"The bot's key has too few kudos left for this. {_SHORTER}",
}
_ANYTHING_ELSE = "The AI Horde can't take this question as it is. Please choose another model and try again."
_REFUSED = "The AI Horde's safety filter refused this; nothing was charged. Please put it differently."


def text_error_of(answer: Answer) -> ProviderError:
    """Translate an answer that is not 2xx."""
    error = error_of(answer)
    if isinstance(error, ContentRefused):
        return ContentRefused(error.detail, code=error.code, user_message=_REFUSED)
    if isinstance(error, KudosNeeded):
        return KudosNeeded(error.detail, code=error.code, user_message=_SENTENCES.get(error.code, _SHORTER))
    if isinstance(error, Rejected):
        keeps_its_own = error.user_message != Rejected.default_user_message
        sentence = _SENTENCES.get(error.code) or (error.user_message if keeps_its_own else _ANYTHING_ELSE)
        return Rejected(error.detail, code=error.code, user_message=sentence)
    return error
