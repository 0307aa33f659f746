"""Controls that the pages share: faders, meters, knobs, switches, bars. They paint with ``gui.theme`` and know no engine."""
