"""Joined answers taken apart, and what of a body keeps operations from being joined."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backends.batch_plan import BatchPlan, counted_rows, in_field, listed
from backends.dialects.openai_completions import completion_operation, cut_choices
from backends.dialects.openai_embeddings import cut_numbered, embed_operation
from backends.hf_tei.reading import cut_ranking
from backends.ollama.answers import cut_rows
from backends.operation import Operation
from backends.ovms.shared_inference import infer_plan
from backends.ovms.tensors import tensor
from backends.wire.values import FormatError


def plan_of(operation: Operation[Any]) -> BatchPlan[Any]:
    assert operation.batch is not None
    return operation.batch


def shared(operation: Operation[Any]) -> str:
    return plan_of(operation).shared(operation)


def test_rows_go_by_number_and_are_numbered_anew() -> None:
    """Whatever their order; what stands beside them stands in every part."""
    rows = [{"index": 2, "embedding": "c"}, {"index": 0, "embedding": "a"}, {"index": 1, "embedding": "b"}]
    one, two = cut_numbered({"model": "m", "data": rows}, [1, 2])
    assert one == {"model": "m", "data": [{"index": 0, "embedding": "a"}]}
    assert two["data"] == [{"index": 0, "embedding": "b"}, {"index": 1, "embedding": "c"}]


def test_every_prompt_has_as_many_choices() -> None:
    choices = [{"index": number, "text": str(number)} for number in reversed(range(6))]
    one, two = cut_choices({"choices": choices}, [1, 2])
    assert [choice["text"] for choice in one["choices"]] == ["0", "1"]
    assert [(choice["index"], choice["text"]) for choice in two["choices"]] == [(0, "2"), (1, "3"), (2, "4"), (3, "5")]


def test_scores_go_back_to_whose_text_it_was() -> None:
    scores = [{"index": 2, "score": 0.9}, {"index": 0, "score": 0.5}, {"index": 1, "score": 0.1}]
    assert cut_ranking(scores, [1, 2]) == [
        [{"index": 0, "score": 0.5}],
        [{"index": 1, "score": 0.9}, {"index": 0, "score": 0.1}],
    ]


@pytest.mark.parametrize(
    ("cut", "data"),
    [
        (counted_rows, [1, 2]),
        (counted_rows, {"rows": 3}),
        (cut_numbered, {"data": [{"index": 0}, {"index": 1}]}),
        (cut_numbered, {"data": [{"index": 0}, {"index": 1}, {"index": 1}]}),
        (cut_numbered, {"data": [{"index": 1}, {"index": 2}, {"index": 3}]}),
        (cut_numbered, ["no object"]),
        (cut_choices, {"choices": [{"index": number} for number in range(4)]}),
        (cut_choices, {"choices": []}),
        (cut_ranking, [{"index": number, "score": 0.5} for number in (0, 1, 3)]),
        (cut_ranking, [{"index": number, "score": 0.5} for number in (0, 1)]),
        (cut_rows, {"embeddings": [[1.0], [2.0]]}),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(cut: Callable[..., Any], data: Any) -> None:
    """Three inputs of two callers; rather nobody gets an answer than somebody another's."""
    with pytest.raises(FormatError):
        cut(data, [1, 2])


def test_texts_and_token_ids_do_not_share() -> None:
    operations = [embed_operation("m", texts, {}) for texts in ("a", ["b", "c"], [1, 2], [[3], [4]])]
    assert shared(operations[0]) == shared(operations[1]) != shared(operations[2]) == shared(operations[3])
    assert [len(plan_of(operation).items) for operation in operations] == [1, 2, 1, 2]
    assert [plan_of(operation).length() for operation in operations] == [1, 2, 2, 2]


def test_what_is_asked_besides_keeps_apart() -> None:
    bodies = [{}, {"dimensions": 8}, {"user": "me"}, {"dimensions": 8, "user": "me"}]
    assert len({shared(embed_operation("m", "a", fields)) for fields in bodies}) == 4
    assert shared(embed_operation("m", "a", {}, path="/v1")) != shared(embed_operation("m", "a", {}, path="/v3"))


def test_our_own_id_in_a_body_keeps_nobody_apart() -> None:
    def with_id(own: str) -> Operation[Any]:
        return Operation(
            "sing",
            lambda answer: answer,
            "/sing",
            body={"in": ["a"], "request_id": own},
            batch=in_field("in", "a", cut),
        )

    def cut(data: Any, counts: Any) -> Any:
        return counted_rows(data, counts)

    one, two = with_id("1"), with_id("2")
    assert shared(one) == shared(two)
    assert plan_of(one).join([one, two]).body == {"in": ["a", "a"], "request_id": "1"}


def test_a_server_that_takes_one_prompt_has_no_plan() -> None:
    assert completion_operation("m", "a", {}).batch is None
    assert plan_of(completion_operation("m", "", {}, several=True)).items == [""]


@pytest.mark.parametrize(
    "inputs",
    [
        [tensor("x", 1.0)],
        [tensor("x", [[1.0]]), tensor("y", [[1.0], [2.0]])],
        [tensor("x", [], "FP32")],
    ],
    ids=["no axis", "rows that differ", "no rows"],
)
def test_tensors_without_rows_in_common_have_no_plan(inputs: list[Any]) -> None:
    assert infer_plan(inputs, {}, lambda stacked: pytest.fail("nothing is stacked")) is None


def test_a_text_is_one_input_and_so_are_token_ids() -> None:
    assert (listed("ab"), listed([1, 2]), listed(["a", "b"])) == (["ab"], [[1, 2]], ["a", "b"])
