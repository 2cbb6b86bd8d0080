"""Further services of the virtual autopilot: a list of logs, a shell, files, and tunes, as far as it has them."""

from __future__ import annotations

import struct
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink.virtual.parameters import ParameterHandler

SHELL_PROMPT = "\nnsh> "
"""Prompt of the shell."""

SHELL = common.SERIAL_CONTROL_DEV_SHELL
"""Device of SERIAL_CONTROL that is the shell."""

HEADER = struct.Struct("<HBBBBBBI")
"""Header of a file transfer: sequence, session, code, size, code that it answers, burst, padding, offset."""

ACK = 128
"""Code of an answer to a file transfer that has what was asked for."""

NAK = 129
"""Code of an answer to a file transfer that has an error."""

DATA_MOST = 239
"""Greatest number of bytes in one message of a file transfer."""


def answer_service(message: Any, parameters: ParameterHandler) -> list[Any]:
    """Return the answers to a message about logs, the shell, files or tunes; none to any other.

    Args:
        message: message of a client.
        parameters: parameters, which are in a file.
    """
    kind, sender = message.get_type(), (message.get_srcSystem(), message.get_srcComponent())
    if kind == "LOG_REQUEST_LIST":
        return [common.MAVLink_log_entry_message(0, 0, 0, 0, 0)]
    if kind == "SERIAL_CONTROL" and message.device == SHELL:
        return _shell(bytes(message.data[: message.count]))
    if kind == "FILE_TRANSFER_PROTOCOL":
        payload = _file(bytes(message.payload), _files(parameters))
        return [common.MAVLink_file_transfer_protocol_message(0, *sender, payload.ljust(251, b"\0"))]
    return []


def _shell(data: bytes) -> list[Any]:
    """Echo a line, as a terminal does, and answer what the shell has no command for."""
    line = data.decode("ascii", errors="replace").strip()
    if not data.endswith((b"\n", b"\r")):
        return []
    text = f"{line}\n"
    if line == "help":
        text += "help ver"
    elif line.split()[:1] == ["ver"]:
        text += "HW arch: VIRTUAL"
    elif line:
        text += f"nsh: {line.split()[0]}: command not found"
    answer = (text + SHELL_PROMPT).encode(errors="replace")
    pieces = [answer[at : at + 70] for at in range(0, len(answer), 70)]
    reply = common.SERIAL_CONTROL_FLAG_REPLY
    return [
        common.MAVLink_serial_control_message(SHELL, reply, 0, 0, len(piece), [*piece, *[0] * (70 - len(piece))])
        for piece in pieces
    ]


def _files(parameters: ParameterHandler) -> dict[str, bytes]:
    """Return the files that it has, by their paths."""
    lines = [f"{name}\t{value}\n" for name, value in sorted(parameters.values.items())]
    return {"/etc/parameters.txt": "".join(lines).encode()}


def _file(payload: bytes, files: dict[str, bytes]) -> bytes:
    """Return the answer to a message of the file transfer protocol; files can be listed and read, and not written.

    Args:
        payload: payload of the request.
        files: contents by path.
    """
    sequence, session, code, size, _, _, _, offset = HEADER.unpack(payload[: HEADER.size])
    name = payload[HEADER.size : HEADER.size + size].split(b"\0")[0].decode("ascii", errors="replace")
    path = "/" + name.strip("/")
    answer: bytes | int
    contents = list(files.values())
    match code:
        case common.MAV_FTP_OPCODE_TERMINATESESSION | common.MAV_FTP_OPCODE_RESETSESSION:
            answer = b""
        case common.MAV_FTP_OPCODE_LISTDIRECTORY:
            answer = _listing(path, offset, files)
        case common.MAV_FTP_OPCODE_OPENFILERO if path in files:
            session = list(files).index(path)
            answer = struct.pack("<I", len(files[path]))
        case common.MAV_FTP_OPCODE_CALCFILECRC if path in files:
            answer = struct.pack("<I", _crc(files[path]))
        case common.MAV_FTP_OPCODE_OPENFILERO | common.MAV_FTP_OPCODE_CALCFILECRC:
            answer = common.MAV_FTP_ERR_FILENOTFOUND
        case common.MAV_FTP_OPCODE_READFILE | common.MAV_FTP_OPCODE_BURSTREADFILE if session < len(contents):
            data = contents[session][offset : offset + min(size or DATA_MOST, DATA_MOST)]
            answer = data or common.MAV_FTP_ERR_EOF
        case common.MAV_FTP_OPCODE_READFILE | common.MAV_FTP_OPCODE_BURSTREADFILE:
            answer = common.MAV_FTP_ERR_INVALIDSESSION
        case _:
            answer = common.MAV_FTP_ERR_UNKNOWNCOMMAND
    good = isinstance(answer, bytes)
    data = answer if isinstance(answer, bytes) else bytes([answer])
    # A burst of one message: the client asks for the next.
    burst = int(good and code == common.MAV_FTP_OPCODE_BURSTREADFILE)
    header = HEADER.pack((sequence + 1) % 2**16, session, ACK if good else NAK, len(data), code, burst, 0, offset)
    return header + data


def _listing(path: str, offset: int, files: dict[str, bytes]) -> bytes | int:
    """Return the entries of a folder from one on, as many as a message holds; an error if there are none."""
    folder = path.rstrip("/") + "/"
    inside = sorted({name[len(folder) :].partition("/") for name in files if name.startswith(folder)})
    if not inside:
        return int(common.MAV_FTP_ERR_FILENOTFOUND)
    entries = [f"D{head}" if slash else f"F{head}\t{len(files[folder + head])}" for head, slash, _ in inside]
    data = b""
    for entry in dict.fromkeys(entries[offset:]):
        if len(data) + len(entry) + 1 > DATA_MOST:
            break
        data += entry.encode() + b"\0"
    return data or int(common.MAV_FTP_ERR_EOF)


def _crc(data: bytes) -> int:
    """Return the checksum of a file in the file transfer protocol: CRC-32 without the inversions."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xEDB88320 if crc & 1 else 0)
    return crc
