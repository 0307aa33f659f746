"""Finds beats, bars, key and chords of a song in the background, or takes them from the folder where they are kept."""

from __future__ import annotations

from pathlib import Path

from rtaudio.audio.format import StemplayError
from rtaudio.files.song_key import song_key
from rtaudio.jobs import Facts, Report
from rtaudio.music.song_map import find_in_file
from rtaudio.music.store import default_folder, load_map, save_map
from rtaudio.protocol.song_map import to_json
from rtaudio.system.background import yield_to_others


def song_map(report: Report, path: str, folder: str = "") -> Facts:
    """The map of the song at ``path`` as plain values, and ``path`` itself; kept in ``folder`` (default: beside the session).

    The process steps back behind all others, so that the sound is not disturbed. ``progress`` reports the share done. Raises
    StemplayError if it is not a sound file. A disk that refuses costs only that the song is looked through again next time: ``kept`` says
    why, else it is empty.
    """
    yield_to_others()
    place, key, kept = Path(folder) if folder else default_folder(), song_key(path), ""
    found = load_map(key, place)
    if found is None:
        found = find_in_file(path, lambda share: report.progress(path=path, share=share))
        try:
            save_map(key, found, place)
        except StemplayError as error:
            kept = str(error)
    return {**to_json(found), "path": path, "kept": kept}
