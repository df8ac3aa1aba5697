"""Downloads against a real HTTP server on this machine that misbehaves by script."""

import builtins
import contextlib
import errno
import hashlib
import io
import re
import shutil
import stat
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from skinkit.data.releases.catalog import Release, RemoteFile
from skinkit.data.releases.download import DownloadError, fetch
from skinkit.data.releases.http import Transport

TABLE = b"image,MEL\n" + b"".join(b"ISIC_%07d,1.0\n" % number for number in range(300))


class Site:
    """Files by name, and what to do with the next requests; after the script it behaves."""

    def __init__(self):
        self.files, self.script, self.requests, self.etag = {}, [], [], '"one"'
        self.closing = threading.Event()

    def asked(self, header):
        return [headers.get(header) for _, headers in self.requests]


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *words):
        pass

    def do_GET(self):
        site = self.server.site
        site.requests.append((self.path, dict(self.headers)))
        action = site.script.pop(0) if site.script else behave
        action(self, site, site.files.get(self.path.rsplit("/", 1)[1], b""))

    def answer(self, status, body=b"", length=None, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def asked_from(self, site):
        asked = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        unchanged = self.headers.get("If-Range") in (None, site.etag)
        return int(asked[1]) if asked and unchanged else None


def behave(handler, site, body, until=None, length=None):
    start = handler.asked_from(site)
    etag = {"ETag": site.etag} if site.etag else {}
    if start is None:
        return handler.answer(200, body[:until], length or len(body), **etag)
    if start >= len(body):
        return handler.answer(416, Content_Range=f"bytes */{len(body)}")
    content_range = f"bytes {start}-{len(body) - 1}/{len(body)}"
    rest = body[start:until]
    return handler.answer(206, rest, len(body) - start, Content_Range=content_range, **etag)


def cut_at(until):
    return lambda handler, site, body: behave(handler, site, body, until)


def ignore_range(handler, site, body):
    handler.answer(200, body, ETag=site.etag)


def shift_range(handler, site, body):
    content_range = f"bytes 0-{len(body) - 1}/{len(body)}"
    handler.answer(206, body, Content_Range=content_range, ETag=site.etag)


def ignore_if_range(handler, site, body):
    start = int(re.match(r"bytes=(\d+)-", handler.headers["Range"])[1])
    content_range = f"bytes {start}-{len(body) - 1}/{len(body)}"
    handler.answer(206, body[start:], Content_Range=content_range, ETag=site.etag)


def hang(handler, site, body):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.send_header("ETag", site.etag)
    handler.end_headers()
    handler.wfile.write(body[:1000])
    handler.wfile.flush()
    site.closing.wait(5)


def promise(length):
    return lambda handler, site, body: behave(handler, site, body, length=length)


def send(wrong):
    return lambda handler, site, body: behave(handler, site, wrong)


def say_no(status):
    return lambda handler, site, body: handler.answer(status)


def show_login(handler, site, body):
    handler.answer(200, b"<html>please log in</html>", Content_Type="text/html; charset=utf-8")


@pytest.fixture
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.site = Site()
    server.site.url = f"http://127.0.0.1:{server.server_port}"
    server.site.files = {"table.csv": TABLE}
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.site
    server.site.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def waits():
    return []


@pytest.fixture
def get(site, tmp_path, waits):
    """Fetches a release from the site quickly; returns its folder."""

    def get(release=None, **options):
        options = {
            "attempts": 3,
            "timeout": (2, 0.2),
            "block": 256,
            "sleep": waits.append,
        } | options
        return fetch(release or small_release(site), tmp_path, progress=False, transport=Transport(**options))

    return get


def small_release(site, *files, **changes):
    files = files or (remote(site, "table.csv", TABLE),)
    about = {"title": "", "page": "https://example.org/page", "licence": "CC BY-NC 4.0"}
    about |= {"citation": "", "class_map": "isic2018", "images": 0} | changes
    return Release(key="small", files=files, **about)


def remote(site, name, content):
    digest = hashlib.sha256(content).hexdigest()
    return RemoteFile(name, (f"{site.url}/data/{name}",), len(content), digest)


def zipped(entries):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return packed.getvalue()


def names(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(".fetch"))


def test_a_file_arrives_and_a_second_call_asks_for_nothing(site, get):
    folder = get()
    assert (folder / "table.csv").read_bytes() == TABLE
    assert names(folder) == ["table.csv"]
    get()
    assert len(site.requests) == 1


def test_a_cut_connection_is_resumed_at_the_byte_where_it_broke(site, get, waits):
    site.script = [cut_at(1024), cut_at(2048)]
    folder = get()
    assert (folder / "table.csv").read_bytes() == TABLE
    assert site.asked("Range") == [None, "bytes=1024-", "bytes=2048-"]
    assert site.asked("If-Range") == [None, '"one"', '"one"']
    # Each attempt brought something: the wait starts anew.
    assert waits == [1.0, 1.0]


def test_a_later_call_goes_on_with_the_part_of_an_earlier_one(site, get):
    site.script = [cut_at(1024), say_no(503), say_no(503), say_no(503)]
    with pytest.raises(DownloadError, match="the same call goes on from there"):
        get()
    get()
    assert site.asked("Range")[-1] == "bytes=1024-"


@pytest.mark.parametrize(
    "notes", [b"", b"[]", b"3", b"\xff", b'{"url": 3}', b'{"url": "u", "validator": null, "total": "many"}']
)
def test_damaged_notes_of_a_part_begin_the_download_again(site, get, tmp_path, notes):
    site.script = [cut_at(1024), say_no(503), say_no(503), say_no(503)]
    with pytest.raises(DownloadError):
        get()
    next(tmp_path.rglob("*.part.json")).write_bytes(notes)
    assert (get() / "table.csv").read_bytes() == TABLE
    assert site.asked("Range")[-1] is None


def test_a_server_that_ignores_range_starts_from_the_beginning(site, get):
    site.script = [cut_at(1024), ignore_range]
    assert (get() / "table.csv").read_bytes() == TABLE


def test_bytes_of_another_range_than_asked_are_not_appended(site, get):
    site.script = [cut_at(1024), shift_range]
    assert (get() / "table.csv").read_bytes() == TABLE
    assert site.asked("Range") == [None, "bytes=1024-", None]


def test_a_part_that_is_complete_already_only_gets_its_name(site, get, tmp_path):
    site.script = [cut_at(1024), say_no(503), say_no(503), say_no(503)]
    with pytest.raises(DownloadError):
        get()
    (tmp_path / "small" / "table.csv.part").write_bytes(TABLE)
    site.requests.clear()
    assert (get() / "table.csv").read_bytes() == TABLE
    assert site.asked("Range") == [f"bytes={len(TABLE)}-"]


def test_a_file_that_changed_on_the_server_is_fetched_from_the_beginning(site, get):
    site.script = [cut_at(1024), say_no(503), say_no(503), say_no(503)]
    with pytest.raises(DownloadError):
        get()
    changed = TABLE.replace(b"1.0", b"0.0")
    site.files["table.csv"], site.etag = changed, '"two"'
    folder = get(small_release(site, remote(site, "table.csv", changed)))
    assert (folder / "table.csv").read_bytes() == changed


def test_a_changed_file_is_noticed_where_the_server_ignores_if_range(site, get):
    site.script = [cut_at(1024), say_no(503), say_no(503), say_no(503)]
    unknown = small_release(site, RemoteFile("table.csv", (f"{site.url}/table.csv",)))
    with pytest.raises(DownloadError):
        get(unknown)
    changed = TABLE.replace(b"1.0", b"0.0")
    site.files["table.csv"], site.etag = changed, '"two"'
    site.script = [ignore_if_range]
    assert (get(unknown) / "table.csv").read_bytes() == changed


def test_without_a_validator_nothing_is_resumed(site, get):
    site.etag = None
    site.script = [cut_at(1024)]
    assert (get() / "table.csv").read_bytes() == TABLE
    assert site.asked("Range") == [None, None]


def test_a_wrong_checksum_names_both_and_leaves_nothing(site, get, tmp_path):
    wrong = TABLE.replace(b"1.0", b"0.0")
    site.script = [send(wrong)]
    with pytest.raises(DownloadError) as caught:
        get()
    assert hashlib.sha256(wrong).hexdigest() in str(caught.value)
    assert hashlib.sha256(TABLE).hexdigest() in str(caught.value)
    assert names(tmp_path / "small") == []


def test_a_resumed_file_with_a_wrong_checksum_is_fetched_once_more(site, get):
    site.script = [cut_at(1024), send(b"x" * 1024 + TABLE[1024:2000] + b"y" * (len(TABLE) - 2000))]
    assert (get() / "table.csv").read_bytes() == TABLE
    assert site.asked("Range") == [None, "bytes=1024-", None]


def test_a_resumed_file_that_stays_wrong_ends_in_an_error(site, get, tmp_path):
    wrong = b"x" * len(TABLE)
    site.files["table.csv"] = wrong
    site.script = [cut_at(1024), behave, cut_at(1024), behave]
    with pytest.raises(DownloadError, match="sha256"):
        get()
    assert len(site.requests) == 4
    assert names(tmp_path / "small") == []


def test_a_server_that_stops_sending_is_left_and_asked_again(site, get, waits):
    site.script = [hang, hang]
    assert (get() / "table.csv").read_bytes() == TABLE
    assert len(waits) == 2


@pytest.mark.parametrize("length", [len(TABLE) + 500, len(TABLE) - 500])
def test_a_wrong_content_length_is_refused_where_the_size_is_known(site, get, length):
    site.script = [promise(length)]
    with pytest.raises(DownloadError, match=f"offers {length:,} bytes, expected {len(TABLE):,}"):
        get()


def test_a_promise_of_too_many_bytes_ends_where_the_file_ends(site, get):
    site.script = [promise(len(TABLE) + 500)]
    folder = get(small_release(site, RemoteFile("table.csv", (f"{site.url}/table.csv",))))
    assert (folder / "table.csv").read_bytes() == TABLE


def test_a_promise_of_too_few_bytes_of_an_archive_is_noticed(site, get, tmp_path):
    site.files["images.zip"] = packed = zipped({"a.jpg": b"a" * 3000})
    site.script = [promise(len(packed) - 100)]
    with pytest.raises(DownloadError, match="is not a zip archive"):
        get(small_release(site, RemoteFile("images.zip", (f"{site.url}/images.zip",))))
    assert names(tmp_path / "small") == []


def test_passing_errors_of_the_server_are_waited_out(site, get, waits):
    site.script = [say_no(404), say_no(503)]
    assert (get() / "table.csv").read_bytes() == TABLE
    assert waits == [1.0, 2.0]


@pytest.mark.parametrize(
    ("asked", "waited"), [("7", [7.0]), ("Fri, 31 Dec 1999 23:59:59 GMT", [1.0]), ("soon", [1.0])]
)
def test_a_busy_server_is_left_alone_as_long_as_it_asks(site, get, waits, asked, waited):
    site.script = [lambda handler, site, body: handler.answer(429, Retry_After=asked)]
    assert (get() / "table.csv").read_bytes() == TABLE
    assert waits == waited


def test_a_server_that_asks_to_come_back_much_later_is_not_waited_for(site, get, waits):
    site.script = [lambda handler, site, body: handler.answer(503, Retry_After="7200")]
    with pytest.raises(DownloadError, match="HTTP 503: the server asks to wait 120 minutes"):
        get()
    assert waits == []


def test_a_part_that_is_longer_than_the_file_is_begun_again(site, get, tmp_path):
    site.script = [cut_at(1024), say_no(503), say_no(503), say_no(503)]
    with pytest.raises(DownloadError):
        get()
    part = next(tmp_path.rglob("*.part"))
    part.write_bytes(TABLE + b"and more")
    assert (get() / "table.csv").read_bytes() == TABLE
    assert not part.exists()


@pytest.mark.parametrize("name", ["table.csv", "table.csv.part"])
def test_a_folder_in_the_place_of_a_file_is_named_and_left(get, tmp_path, name):
    folder = tmp_path / "small" / name
    folder.mkdir(parents=True)
    with pytest.raises(DownloadError, match=rf"(?s){name}.* is a folder.*move it away"):
        get()
    assert folder.is_dir()


def test_nothing_at_all_is_never_a_file(site, get, tmp_path):
    site.files["table.csv"] = b""
    nothing = small_release(site, RemoteFile("table.csv", (f"{site.url}/data/table.csv",)))
    with pytest.raises(DownloadError, match="what the server sent is empty"):
        get(nothing)
    assert names(tmp_path / "small") == []
    (tmp_path / "small" / "table.csv").touch()
    with pytest.raises(DownloadError, match="the file that is there is empty; move it away"):
        get(nothing)


def test_giving_up_lists_numbered_steps_with_file_size_checksum_and_folder(site, get, tmp_path):
    site.script = [say_no(404)] * 3
    with pytest.raises(DownloadError) as caught:
        get()
    text = str(caught.value)
    assert "HTTP 404" in text
    assert text.index("1. Open https://example.org/page") < text.index("2. Download table.csv")
    digest = hashlib.sha256(TABLE).hexdigest()
    for expected in (f"{len(TABLE):,} bytes", f"sha256 {digest}", str(tmp_path / "small")):
        assert expected in text
    assert "5. Run `skinkit data fetch small` again" in text


def test_no_server_at_all_gives_the_steps_too(tmp_path, waits):
    files = (RemoteFile("table.csv", ("http://127.0.0.1:9/table.csv",)),)
    transport = Transport(attempts=3, sleep=waits.append)
    with pytest.raises(DownloadError, match="3 attempts"):
        fetch(small_release(None, *files), tmp_path, progress=False, transport=transport)
    assert waits == [1.0, 2.0]


def test_a_web_page_instead_of_the_file_does_not_replace_what_has_arrived(site, get, tmp_path):
    unknown = small_release(site, RemoteFile("table.csv", (f"{site.url}/table.csv",)))
    site.script = [cut_at(2048), show_login, show_login, show_login]
    with pytest.raises(DownloadError, match="web page instead"):
        get(unknown)
    assert (tmp_path / "small" / "table.csv.part").read_bytes() == TABLE[:2048]


class FullDisk(io.FileIO):
    """Takes 1,024 bytes more and is full then."""

    room = 1024

    def write(self, block):
        if self.room < len(block):
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(block)
        return super().write(block)


def test_a_full_disk_says_how_much_is_missing_and_keeps_what_has_arrived(site, get, tmp_path):
    with pytest.raises(DownloadError, match=f"the disk is full: {len(TABLE) - 1024:,} more bytes"):
        get(open=FullDisk)
    assert names(tmp_path / "small") == ["table.csv.part", "table.csv.part.json"]
    assert (get(open=builtins.open) / "table.csv").read_bytes() == TABLE
    assert site.asked("Range") == [None, "bytes=1024-"]


def test_a_disk_that_is_too_small_is_noticed_before_and_no_mirror_is_asked(site, get, monkeypatch):
    file = remote(site, "table.csv", TABLE)
    twice = RemoteFile(file.name, (*file.urls, f"{site.url}/mirror/table.csv"), file.bytes)
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(DownloadError, match=f"{len(TABLE):,} bytes are needed, 1,000 are free"):
        get(small_release(site, twice))
    assert len(site.requests) == 1


def test_a_second_address_is_tried_where_the_first_is_dead(site, get):
    file = remote(site, "table.csv", TABLE)
    dead = "http://127.0.0.1:9/table.csv"
    folder = get(small_release(site, RemoteFile(file.name, (dead, *file.urls), sha256=file.sha256)))
    assert (folder / "table.csv").read_bytes() == TABLE


def test_a_mirror_replaces_the_address(site, tmp_path):
    release = small_release(site, RemoteFile("table.csv", ("http://127.0.0.1:9/table.csv",)))
    folder = fetch(release, tmp_path, base_url=f"{site.url}/mirror/", progress=False)
    assert (folder / "table.csv").read_bytes() == TABLE
    assert site.requests[0][0] == "/mirror/table.csv"


def test_an_archive_is_unpacked_and_removed_and_asked_for_once(site, get):
    site.files["images.zip"] = packed = zipped({"a.jpg": b"a", "deep/b.jpg": b"b"})
    release = small_release(site, remote(site, "images.zip", packed))
    folder = get(release)
    assert names(folder) == ["images"]
    assert (folder / "images" / "deep" / "b.jpg").read_bytes() == b"b"
    get(release)
    assert len(site.requests) == 1


def test_an_archive_that_brings_its_own_folder_is_not_nested_twice(site, get):
    site.files["images.zip"] = packed = zipped({"images/a.jpg": b"a"})
    folder = get(small_release(site, remote(site, "images.zip", packed)))
    assert names(folder / "images") == ["a.jpg"]


UNSAFE = ["../out.txt", "a/../../out.txt", "/tmp/out.txt", "C:\\out.txt", "c:out", "..\\out.txt"]


@pytest.mark.parametrize("name", UNSAFE)
def test_archives_with_entries_that_lead_out_are_refused(site, get, tmp_path, name):
    site.files["images.zip"] = packed = zipped({"a.jpg": b"a", name: b"out"})
    with pytest.raises(DownloadError, match="is refused"):
        get(small_release(site, remote(site, "images.zip", packed)))
    assert names(tmp_path) == ["small"]
    assert names(tmp_path / "small") == []


def test_archives_with_symbolic_links_are_refused(site, get):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    site.files["images.zip"] = packed = zipped({link: "/etc"})
    with pytest.raises(DownloadError, match="is refused"):
        get(small_release(site, remote(site, "images.zip", packed)))


def test_a_damaged_archive_is_not_unpacked_and_fetched_anew_by_the_next_call(site, get, tmp_path):
    good = zipped({"a.jpg": b"a" * 500})
    site.files["images.zip"] = good.replace(b"a" * 100, b"b" * 100, 1)
    release = small_release(site, RemoteFile("images.zip", (f"{site.url}/images.zip",)))
    with pytest.raises(DownloadError, match="cannot be unpacked: Bad CRC"):
        get(release)
    assert names(tmp_path / "small") == []
    site.files["images.zip"], site.etag = good, '"two"'
    assert (get(release) / "images" / "a.jpg").read_bytes() == b"a" * 500


def test_a_disk_that_fills_while_unpacking_keeps_the_archive(site, get, tmp_path, monkeypatch):
    def extract(archive, entry, folder):
        (folder / entry.filename).write_bytes(b"ha")
        raise OSError(errno.ENOSPC, "No space left on device")

    site.files["images.zip"] = packed = zipped({"a.jpg": b"a"})
    release = small_release(site, remote(site, "images.zip", packed))
    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "extract", extract)
        with pytest.raises(DownloadError, match="No space left"):
            get(release)
    assert names(tmp_path / "small") == ["images.zip"]
    get(release)
    assert len(site.requests) == 1


def test_a_disk_too_small_to_unpack_is_noticed_before(site, get, monkeypatch):
    site.files["images.zip"] = packed = zipped({"a.jpg": b"a" * 2000})
    release = small_release(site, remote(site, "images.zip", packed))
    usage = shutil.disk_usage("/")
    answers = [usage, usage._replace(free=1999)]
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: answers.pop(0))
    with pytest.raises(DownloadError, match="to unpack images.zip: 2,000 bytes"):
        get(release)


def test_a_release_behind_a_form_gives_its_steps_and_takes_what_is_put_there(site, get, tmp_path):
    release = small_release(site, RemoteFile("images.zip"), steps=("Fill in the form.",))
    with pytest.raises(DownloadError, match=r"1\. Fill in the form"):
        get(release)
    (tmp_path / "small" / "images.zip").write_bytes(zipped({"a.jpg": b"a"}))
    # It cannot be fetched again, so it is kept.
    assert names(get(release)) == ["images", "images.zip"]
    assert site.requests == []


def test_a_wrong_file_put_there_by_hand_is_neither_used_nor_overwritten(site, get, tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "table.csv").write_bytes(b"mine")
    with pytest.raises(DownloadError, match="has 4 bytes, expected"):
        get()
    assert (tmp_path / "small" / "table.csv").read_bytes() == b"mine"


def test_a_file_without_known_checksum_is_said_to_be_so(site, tmp_path, capsys):
    url = f"{site.url}/table.csv"
    fetch(small_release(site, RemoteFile("table.csv", (url,))), tmp_path)
    assert "neither size nor checksum is known" in capsys.readouterr().out
    fetch(small_release(site, RemoteFile("table.csv", (url,), len(TABLE))), tmp_path)
    assert "no checksum is known" in capsys.readouterr().out


def test_two_processes_do_not_fetch_into_one_folder(get, tmp_path):
    from filelock import FileLock

    (tmp_path / "small").mkdir()
    with (
        FileLock(tmp_path / "small" / ".fetch.lock"),
        pytest.raises(DownloadError, match="Another"),
    ):
        get()


def test_the_default_folder_is_that_of_the_environment(site, tmp_path, monkeypatch):
    monkeypatch.setenv("SKINKIT_DATA", str(tmp_path / "elsewhere"))
    folder = fetch(small_release(site), progress=False)
    assert folder == tmp_path / "elsewhere" / "small"
    monkeypatch.delenv("SKINKIT_DATA")
    monkeypatch.chdir(tmp_path)
    assert fetch(small_release(site), progress=False).parts == ("datasets", "small")


def test_an_unknown_release_names_the_known_ones():
    with pytest.raises(ValueError, match="Releases are ham10000, .*'ham1000'. Did you mean ham10000"):
        fetch("ham1000")


def test_an_archive_that_was_put_there_by_hand_stays_where_it_is(site, get, tmp_path):
    packed = zipped({"a.jpg": b"a" * 500})
    for content, expected in ((packed, None), (packed.replace(b"a" * 100, b"b" * 100, 1), "move it away")):
        folder = tmp_path / "small"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "images.zip").write_bytes(content)
        release = small_release(site, RemoteFile("images.zip", (f"{site.url}/images.zip",)))
        with pytest.raises(DownloadError, match=expected) if expected else contextlib.nullcontext():
            get(release)
        assert (folder / "images.zip").read_bytes() == content
    assert site.requests == []


def test_files_of_others_where_an_archive_is_unpacked_are_not_touched(site, get, tmp_path):
    site.files["images.zip"] = packed = zipped({"a.jpg": b"a"})
    theirs = tmp_path / "small" / ".images.part" / "theirs.jpg"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"theirs")
    (theirs.parent / "a.jpg").write_bytes(b"half")
    release = small_release(site, remote(site, "images.zip", packed))
    with pytest.raises(DownloadError, match=r"\.images\.part holds files that are not those of images.zip"):
        get(release)
    assert names(theirs.parent) == ["theirs.jpg"]
    theirs.rename(tmp_path / "theirs.jpg")
    assert names(get(release) / "images") == ["a.jpg"]


def test_a_part_that_another_program_has_begun_is_not_touched(site, get, tmp_path):
    part = tmp_path / "small" / "table.csv.part"
    part.parent.mkdir()
    part.write_bytes(b"a browser's")
    with pytest.raises(DownloadError, match="was not begun here"):
        get()
    assert part.read_bytes() == b"a browser's"
