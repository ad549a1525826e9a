from __future__ import annotations

import pytest

from backends.llvm_worker import frames


def test_a_frame_without_blobs_is_its_text():
    assert frames.join(b'{"a":1}', ()) == b'{"a":1}'
    assert frames.part(b'{"a":1}') == (b'{"a":1}', b"")


def test_blobs_of_any_bytes_come_back():
    blobs = (b"", b"\n\n", b"\0\xff{}\n", b"end")
    text, rest = frames.part(frames.join(b'{"blobs":[0,2,5,3]}', blobs))
    assert text == b'{"blobs":[0,2,5,3]}'
    assert frames.cut(rest, [0, 2, 5, 3]) == blobs


@pytest.mark.parametrize(
    "sizes",
    [[3], [5], [-1, 5], [4.0], ["4"], [True, 3], None, {"0": 4}, "4", [10**30], [0] * 2000 + [4]],
    ids=str,
)
def test_sizes_that_do_not_fit_are_refused(sizes):
    with pytest.raises(ValueError, match="sizes of the blobs"):
        frames.cut(b"four", sizes)


def test_every_cut_of_a_frame_is_noticed():
    whole = frames.join(b'{"blobs":[4]}', (b"four",))
    for end in range(len(whole)):
        _, rest = frames.part(whole[:end])
        with pytest.raises(ValueError, match="do not add up"):
            frames.cut(rest, [4])
