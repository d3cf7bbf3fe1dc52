"""
A checkpoint on paper: a page to print, date, sign and store, and the files of a daily delivery.

A page in a safe is the cheapest anchor: it cannot be altered remotely, and reading it needs no server.
"""

import html
from datetime import date
from hashlib import sha256
from pathlib import Path

import segno

from audit.durable_files import replace_file, sync_folder
from audit.format.checkpoint import read_checkpoint
from audit.format.note import VerifierKey

_PAGE = """\
<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<title>Checkpoint {size} · {origin}</title>
<style>
@page {{ size: A4; margin: 20mm; }}
body {{ font: 11pt/1.5 "Noto Sans CJK SC", "Source Han Sans SC", sans-serif; max-width: 170mm; margin: 0 auto; }}
h1 {{ font-size: 16pt; margin: 0 0 2mm; }}
dl {{ display: grid; grid-template-columns: 48mm 1fr; gap: 2mm 4mm; margin: 6mm 0; }}
dt {{ color: #333; }}
dd {{ margin: 0; }}
code, pre {{ font: 10pt/1.5 "Noto Sans Mono", "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }}
pre {{ white-space: pre-wrap; border: 0.3mm solid #000; padding: 3mm; }}
svg {{ width: 55mm; height: 55mm; float: right; margin: 0 0 4mm 6mm; }}
.sign {{ display: grid; grid-template-columns: 1fr 1fr; gap: 12mm; margin-top: 16mm; break-inside: avoid; }}
.sign div {{ border-top: 0.3mm solid #000; padding-top: 1mm; }}
</style>
</head>
<body>
{qr}
<h1>审计日志检查点<br>Checkpoint of the audit log</h1>
<dl>
<dt>日期 Date</dt><dd>{day}</dd>
<dt>日志名称 Origin</dt><dd><code>{origin}</code></dd>
<dt>记录数 Size</dt><dd><code>{size}</code></dd>
<dt>根哈希 Root (SHA-256)</dt><dd><code>{root}</code></dd>
<dt>公钥指纹 Key fingerprint</dt><dd><code>{fingerprint}</code></dd>
<dt>公钥 Public key</dt><dd><code>{vkey}</code></dd>
</dl>
<pre>{note}</pre>
<p>请将本页签字存档，勿交由系统管理员保管。需要核验时，将方框内文字（或二维码内容）存为文件
<code>{day}.checkpoint</code>，运行以下命令：若日志在此之后被改写或删减，命令会指出。</p>
<p>Sign this page and keep it out of the reach of the system's administrators.
To check the log against it, save the text in the frame (or what the QR code holds) as
<code>{day}.checkpoint</code> and run the command below: it says if anything up to this size was altered or removed.</p>
<pre>shuniu audit verify EXPORT --vkey log.vkey --against {day}.checkpoint</pre>
<div class="sign"><div>保管人签名 Signature</div><div>签收日期 Date received</div></div>
</body>
</html>
"""


def page(note: bytes, vkey: VerifierKey, day: date) -> str:
    """The printable page of a signed checkpoint: A4, both languages, needs nothing from the network."""
    checkpoint = read_checkpoint(note)
    text = note.decode()
    values = {
        "day": day.isoformat(),
        "origin": checkpoint.origin,
        "size": str(checkpoint.size),
        "root": in_groups(checkpoint.root),
        "fingerprint": fingerprint(vkey),
        "vkey": vkey.encode(),
        "note": text,
    }
    qr = segno.make(text, encoding="utf-8", error="m", micro=False).svg_inline(omitsize=True)
    return _PAGE.format(qr=qr, **{name: html.escape(value) for name, value in values.items()})


def deliver(folder: Path, note: bytes, vkey: VerifierKey, day: date) -> Path:
    """
    Writes `YYYY-MM-DD.checkpoint` and its page, durably, and returns the path of the checkpoint.  Raises `OSError`.
    """
    if not folder.is_dir():
        # A folder that is gone, such as a share that is not mounted, is not made anew on the wrong disk.
        raise NotADirectoryError
    name = f"{day.isoformat()}.checkpoint"
    replace_file(folder / f"{day.isoformat()}.html", page(note, vkey, day).encode())
    replace_file(folder / name, note)
    sync_folder(folder)
    return folder / name


def fingerprint(vkey: VerifierKey) -> str:
    """SHA-256 of the public key, to be compared by eye."""
    return in_groups(sha256(vkey.public).digest())


def in_groups(value: bytes) -> str:
    """Hexadecimal digits in groups of four."""
    return value.hex(" ", 2)
