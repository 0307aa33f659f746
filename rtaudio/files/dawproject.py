"""Writes DAWprojects (``.dawproject``): a ZIP archive with ``project.xml``, ``metadata.xml`` and the stems.

The elements and their order are those of the schema of version 1.0, `github.com/bitwig/dawproject`. Times in the arrangement are in beats.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
import zipfile
from importlib import metadata
from pathlib import Path

from rtaudio.files.project import Project, Track, linear, plain, replacing

SUFFIX = ".dawproject"
VERSION = "1.0"
_LOUDEST = 2.0
"""Upper end of a fader, as a factor, unless the level is higher."""


def write_dawproject(project: Project, path: Path) -> None:
    """Write ``project`` as ``path``, with its stems inside. Raises StemplayError."""
    with replacing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("project.xml", _text(project_xml(project)), zipfile.ZIP_DEFLATED)
        archive.writestr("metadata.xml", _text(_metadata(project)), zipfile.ZIP_DEFLATED)
        for track in project.tracks:
            archive.write(track.file, _place(track))


def _text(root: ET.Element) -> bytes:
    ET.indent(root)
    found: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return found


def _place(track: Track) -> str:
    return f"audio/{track.file.name}"


def project_xml(project: Project) -> ET.Element:
    """The root element of ``project.xml``."""
    root = ET.Element("Project", version=VERSION)
    try:
        version = metadata.version("stemplay")
    except metadata.PackageNotFoundError:
        version = "0"
    ET.SubElement(root, "Application", name="Stemplay", version=version)
    transport = ET.SubElement(root, "Transport")
    first = project.tempo[0][1]
    ET.SubElement(transport, "Tempo", max="666.0", min="20.0", unit="bpm", value=_number(first), id="tempo", name="Tempo")
    ET.SubElement(transport, "TimeSignature", denominator="4", numerator="4", id="meter")
    structure = ET.SubElement(root, "Structure")
    for number, track in enumerate(project.tracks, 1):
        _add_track(structure, number, track, project.channels)
    master = ET.SubElement(structure, "Track", contentType="audio notes", loaded="true", id="master", name="Master")
    _add_channel(master, "channel-master", Track("Master", Path(), gain_db=project.master_db), 2, role="master")
    root.append(_arrangement(project))
    return root


def _add_track(structure: ET.Element, number: int, track: Track, channels: int) -> None:
    colour = {"color": track.colour} if re.fullmatch("#[0-9a-fA-F]{6}", track.colour) else {}
    element = ET.SubElement(
        structure, "Track", contentType="audio", loaded="true", id=f"track-{number}", name=plain(track.name)
    )
    element.attrib.update(colour)
    _add_channel(element, f"channel-{number}", track, channels, role="regular", destination="channel-master")


def _add_channel(parent: ET.Element, key: str, track: Track, channels: int, **more: str) -> None:
    channel = ET.SubElement(
        parent, "Channel", audioChannels=str(channels), solo=str(track.solo).lower(), id=key
    )
    channel.attrib.update(more)
    ET.SubElement(channel, "Mute", value=str(track.mute).lower(), id=f"{key}-mute", name="Mute")
    place = _number((track.pan + 1) / 2)
    ET.SubElement(channel, "Pan", max="1.0", min="0.0", unit="normalized", value=place, id=f"{key}-pan", name="Pan")
    gain = linear(track.gain_db)
    most, level = _number(max(_LOUDEST, gain)), _number(gain)
    ET.SubElement(channel, "Volume", max=most, min="0.0", unit="linear", value=level, id=f"{key}-volume", name="Volume")


def _arrangement(project: Project) -> ET.Element:
    element = ET.Element("Arrangement", id="arrangement")
    lanes = ET.SubElement(element, "Lanes", timeUnit="beats", id="lanes")
    for number, track in enumerate(project.tracks, 1):
        lane = ET.SubElement(lanes, "Lanes", track=f"track-{number}", id=f"lanes-{number}")
        clips = ET.SubElement(lane, "Clips", id=f"clips-{number}")
        clip = ET.SubElement(
            clips, "Clip", time="0.0", duration=_number(project.beats(project.seconds)), contentTimeUnit="seconds", playStart="0.0",
            name=plain(track.name),
        )  # fmt: skip
        audio = ET.SubElement(
            clip, "Audio", channels=str(project.channels), sampleRate=str(project.rate), duration=_number(project.seconds),
            timeUnit="seconds", id=f"audio-{number}",
        )  # fmt: skip
        ET.SubElement(audio, "File", path=_place(track))
    if project.markers or project.regions:
        markers = ET.SubElement(element, "Markers", timeUnit="beats", id="markers")
        # The format has no regions: their ends are two markers.
        ends = [(time, f"{name}: {word}") for start, end, name in project.regions for time, word in ((start, "start"), (end, "end"))]
        for seconds, name in sorted([*project.markers, *ends]):
            ET.SubElement(markers, "Marker", time=_number(project.beats(seconds)), name=plain(name))
    if len(project.tempo) > 1:
        points = ET.SubElement(element, "TempoAutomation", unit="bpm", timeUnit="beats", id="tempo-automation")
        ET.SubElement(points, "Target", parameter="tempo")
        for seconds, bpm in project.tempo:
            ET.SubElement(
                points, "RealPoint", time=_number(project.beats(seconds)), value=_number(bpm), interpolation="hold"
            )
    return element


def _metadata(project: Project) -> ET.Element:
    root, tags = ET.Element("MetaData"), project.tags
    known = {
        "Title": tags.title or project.name, "Artist": tags.artist, "Album": tags.album, "Year": tags.date[:4], "Genre": tags.genre,
    }  # fmt: skip
    for name, text in known.items():
        if text:
            ET.SubElement(root, name).text = plain(text)
    return root


def _number(value: float) -> str:
    return repr(round(value, 12))
