"""Our tables of arguments beside the parameter types of the official client: nothing it can send is missing here."""

from __future__ import annotations

from typing import get_type_hints

import pytest
from openai.types import (
    batch_create_params,
    completion_create_params,
    embedding_create_params,
    file_create_params,
    file_list_params,
    image_edit_params,
    image_generate_params,
)
from openai.types.audio import speech_create_params, transcription_create_params, translation_create_params
from openai.types.chat import completion_create_params as chat_create_params
from openai.types.responses import input_token_count_params, response_create_params

from backends.openai import audio, files, images, parameters
from backends.operation import CallOptions

CASES = [
    (parameters.ChatParameters, chat_create_params.CompletionCreateParamsBase, {"messages", "model"}),
    (parameters.CompletionParameters, completion_create_params.CompletionCreateParamsBase, {"prompt", "model"}),
    (parameters.EmbedParameters, embedding_create_params.EmbeddingCreateParams, {"input", "model"}),
    (parameters.ResponseParameters, response_create_params.ResponseCreateParamsBase, {"input", "model"}),
    (parameters.TokenParameters, input_token_count_params.InputTokenCountParams, {"input", "model"}),
    (
        images.ImageParameters,
        image_generate_params.ImageGenerateParamsBase,
        {"prompt", "model", "response_format", "style"},  # the last two were dall-e's
    ),
    (
        images.EditParameters,
        image_edit_params.ImageEditParamsBase,
        {"image", "mask", "markup", "prompt", "model", "response_format"},
    ),
    (audio.SpeechStreamParameters, speech_create_params.SpeechCreateParams, {"input", "model", "voice"}),
    (audio.TranscribeParameters, transcription_create_params.TranscriptionCreateParamsBase, {"file", "model"}),
    (audio.TranslateParameters, translation_create_params.TranslationCreateParams, {"file", "model"}),
    (files.UploadParameters, file_create_params.FileCreateParams, {"file", "purpose"}),
    (files.FileListParameters, file_list_params.FileListParams, set()),
    (
        files.BatchParameters,
        batch_create_params.BatchCreateParams,
        {"input_file_id", "endpoint", "completion_window"},
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "arguments"), CASES, ids=[case[0].__name__ for case in CASES])
def test_every_field_of_the_official_client_is_there(ours: type, theirs: type, arguments: set[str]) -> None:
    fields = set(get_type_hints(ours)) - set(get_type_hints(CallOptions))
    expected = set(theirs.__annotations__) - arguments
    assert expected - fields == set()
    assert fields - expected == set()
