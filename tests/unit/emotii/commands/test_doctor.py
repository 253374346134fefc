"""What `emotii doctor` finds out about the files of a data folder."""

from emotii.commands.doctor import examine


def files_finding():
    return next(finding for finding in examine() if finding.subject == "Files")


def test_files_that_other_users_can_read_are_noted_with_the_command_that_closes_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert files_finding().verdict == "ok"
    face = tmp_path / "saved_faces" / "happy" / "face.jpg"
    face.parent.mkdir(parents=True)
    face.write_bytes(b"face")
    for folder in (face.parents[1], face.parent):
        folder.chmod(0o755)
    face.chmod(0o644)
    found = files_finding()
    assert found.verdict == "note"
    assert "saved_faces" in found.fact
    assert "chmod -R go= saved_faces" in found.remedy
    face.parents[1].chmod(0o700)
    assert files_finding().verdict == "ok"
