"""Controls that the pages share: faders, meters, knobs, switches, bars. They paint with ``gui.theme``; none of them knows a page."""
