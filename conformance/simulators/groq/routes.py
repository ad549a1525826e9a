"""The simulated Groq's table of routes. A row says what a request may hold; the handler says what it gets."""

from __future__ import annotations

from conformance.simulators.groq import fields
from conformance.simulators.groq.answers import audio, chat, responses, storage
from conformance.simulators.groq.answers.common import tidy
from conformance.simulators.openai.answers import batches, files
from conformance.simulators.provider import Route

__all__ = ["ROUTES"]

_AT = "/openai/v1"

ROUTES: tuple[Route, ...] = (
    Route("POST", f"{_AT}/chat/completions", tidy(chat.chat), body=fields.CHAT),
    Route("POST", f"{_AT}/responses", tidy(responses.respond), body=fields.RESPONSE),
    Route("POST", f"{_AT}/audio/speech", audio.speak, body=fields.SPEECH),
    Route("POST", f"{_AT}/audio/transcriptions", audio.transcribe, form=fields.TRANSCRIPTION),
    Route("POST", f"{_AT}/audio/translations", audio.translate, form=fields.TRANSLATION),
    Route("GET", f"{_AT}/models", storage.list_models),
    Route("GET", f"{_AT}/models/{{model:path}}", storage.get_model),
    Route("DELETE", f"{_AT}/models/{{model:path}}", storage.delete_model),
    Route("POST", f"{_AT}/files", tidy(files.create), form=fields.FILE),
    Route("GET", f"{_AT}/files", storage.list_files),
    Route("GET", f"{_AT}/files/{{file_id}}", tidy(files.get)),
    Route("DELETE", f"{_AT}/files/{{file_id}}", tidy(files.delete)),
    Route("GET", f"{_AT}/files/{{file_id}}/content", tidy(files.content)),
    Route("POST", f"{_AT}/batches", tidy(batches.create), body=fields.BATCH),
    Route("GET", f"{_AT}/batches", storage.list_batches),
    Route("GET", f"{_AT}/batches/{{batch_id}}", tidy(storage.get_batch)),
    Route("POST", f"{_AT}/batches/{{batch_id}}/cancel", tidy(batches.cancel)),
)
