from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.so101 import codec, control_table
from drivers.so101.codec import BROADCAST, Frame, FrameParser, Instruction, Malformed
from drivers.so101.control_table import Block, Register

REGISTERS = [value for value in vars(control_table).values() if isinstance(value, Register)]
BLOCKS = [value for value in vars(control_table).values() if isinstance(value, Block)]
ADJACENT = [block for block in BLOCKS if block.width == sum(register.width for register in block.registers)]

frames = st.builds(Frame, st.integers(0, BROADCAST), st.integers(0, 255), st.binary(max_size=60))


@given(frames)
def test_what_was_packed_is_unpacked(frame: Frame) -> None:
    assert codec.parse(frame.pack()) == frame


@given(frames, st.data())
def test_a_frame_with_a_bit_that_turned_is_none(frame: Frame, data: st.DataObject) -> None:
    packed = bytearray(frame.pack())
    bit = data.draw(st.integers(0, 8 * len(packed) - 1))
    packed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Malformed):
        codec.parse(bytes(packed))


@given(frames, st.data())
def test_a_frame_that_is_cut_short_or_goes_on_is_none(frame: Frame, data: st.DataObject) -> None:
    packed = frame.pack()
    with pytest.raises(Malformed):
        codec.parse(packed[: data.draw(st.integers(0, len(packed) - 1))])
    with pytest.raises(Malformed):
        codec.parse(packed + data.draw(st.binary(min_size=1, max_size=9)))


@given(st.lists(frames, max_size=5), st.integers(1, 30))
def test_a_stream_is_cut_into_its_frames_however_it_arrives(sent: list[Frame], piece: int) -> None:
    stream = b"".join(frame.pack() for frame in sent)
    parser = FrameParser()
    found = [frame for at in range(0, len(stream), piece) for frame in parser.feed(stream[at : at + piece])]
    assert found == sent
    assert parser.rejected == 0


@given(st.binary(max_size=30).filter(lambda noise: 0xFF not in noise), frames)
def test_a_stream_finds_its_way_back_after_noise(noise: bytes, frame: Frame) -> None:
    assert FrameParser().feed(noise + frame.pack()) == [frame]


def test_a_stream_finds_its_way_back_after_a_frame_that_was_cut_short() -> None:
    first, second = codec.read(1, 56, 8), codec.read(2, 56, 8)
    parser = FrameParser()
    assert parser.feed(first.pack()[:-2] + second.pack()) == [second]
    assert parser.rejected == 1


def test_answers_of_several_are_taken_whole_and_in_order_or_not_at_all() -> None:
    sent = [Frame(number, 0, bytes(8)).pack() for number in (1, 2, 3)]
    assert [frame.id for frame in codec.answers(b"".join(sent), (1, 2, 3), 8)] == [1, 2, 3]
    one, two, three = sent
    for came in ([one, two], [one, three, two], [one, two, two], [one, one, two, three], [one, two, three[:-1]], []):
        with pytest.raises(Malformed):
            codec.answers(b"".join(came), (1, 2, 3), 8)
    with pytest.raises(Malformed):
        codec.answers(b"".join(sent), (1, 2, 3), 9)


@given(
    st.integers(0, 255),
    st.integers(1, 8).flatmap(
        lambda width: st.dictionaries(
            st.integers(0, 253), st.binary(min_size=width, max_size=width), min_size=1, max_size=6
        )
    ),
)
def test_a_write_to_several_says_again_what_goes_where(address: int, values: dict[int, bytes]) -> None:
    frame = codec.parse(codec.sync_write(address, values).pack())
    assert codec.sync_written(frame) == (address, values)


def test_a_write_to_several_that_does_not_come_out_even_is_refused() -> None:
    with pytest.raises(ValueError, match="equally many"):
        codec.sync_write(42, {1: b"ab", 2: b"a"})
    with pytest.raises(Malformed, match="for each servo"):
        codec.sync_written(Frame(BROADCAST, Instruction.SYNC_WRITE, bytes((42, 2, 1, 0))))
    with pytest.raises(ValueError, match="no frame"):
        Frame(1, Instruction.WRITE, bytes(250)).pack()


@pytest.mark.parametrize(
    ("frame", "packed"),
    [
        (Frame(1, Instruction.PING), "ff ff 01 02 01 fb"),
        (codec.read(1, 0x38, 2), "ff ff 01 04 02 38 02 be"),
        (codec.write(1, 0x2A, bytes.fromhex("00080000e803")), "ff ff 01 09 03 2a 00 08 00 00 e8 03 d5"),
        (codec.sync_read(0x38, 8, (1, 2)), "ff ff fe 06 82 38 08 01 02 36"),
        (Frame(BROADCAST, Instruction.ACTION), "ff ff fe 02 05 fa"),
        (Frame(2, 0, bytes.fromhex("ff07000000007723")), "ff ff 02 0a 00 ff 07 00 00 00 00 77 23 53"),
    ],
)
def test_the_examples_of_the_makers_document_are_packed_as_they_stand_there(frame: Frame, packed: str) -> None:
    assert frame.pack().hex(" ") == packed


@given(st.sampled_from(REGISTERS), st.data())
def test_every_count_that_fits_into_a_register_is_read_back(register: Register, data: st.DataObject) -> None:
    lowest = 0 if register.sign is None else -register.largest
    count = data.draw(st.integers(lowest, register.largest))
    packed = register.pack(count)
    assert len(packed) == register.width
    assert register.unpack(packed) == count
    for beyond in (register.largest + 1, lowest - 1):
        with pytest.raises(ValueError, match="does not fit"):
            register.pack(beyond)


def test_minus_is_a_bit_of_its_own_and_the_loads_is_another() -> None:
    assert control_table.POSITION.unpack(bytes.fromhex("0180")) == -1
    assert control_table.SPEED.unpack(bytes.fromhex("e883")) == -1000
    assert control_table.LOAD.unpack(bytes.fromhex("e807")) == -1000
    assert control_table.OFFSET.unpack(bytes.fromhex("0108")) == -1


@given(st.sampled_from(ADJACENT), st.data())
def test_a_block_is_its_registers_side_by_side(block: Block, data: st.DataObject) -> None:
    counts = tuple(data.draw(st.integers(0, register.largest)) for register in block.registers)
    packed = block.pack(counts)
    assert len(packed) == block.width
    assert block.unpack(packed) == counts


def test_a_block_with_gaps_is_read_and_cannot_be_written() -> None:
    memory = bytes(range(control_table.SIZE))
    for block in (control_table.STATE, control_table.STATE_AND_ONE):
        read = block.unpack(memory[block.address : block.address + block.width])
        for register, count in zip(block.registers, read, strict=True):
            assert count == register.unpack(memory[register.address : register.address + register.width])
        with pytest.raises(ValueError, match="must be adjacent"):
            block.pack([0] * len(block.registers))


def test_no_two_registers_overlap() -> None:
    taken = [at for register in REGISTERS for at in range(register.address, register.address + register.width)]
    assert len(taken) == len(set(taken))
    assert max(taken) < control_table.SIZE
