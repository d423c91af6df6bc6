#!/bin/sh
# Makes the two fonts of this folder from Debian's package fonts-dejavu-core; needs `pip install fonttools`.
set -eu
here=$(dirname "$0")
for font in DejaVuSans DejaVuSansMono; do
    python3 -m fontTools.subset "/usr/share/fonts/truetype/dejavu/$font.ttf" --output-file="$here/$font.ttf" \
        --no-hinting --layout-features=kern --name-IDs='*' --notdef-outline --unicodes="U+0020-007E,U+00A0-017F,\
U+0384-03CE,U+0400-045F,U+2010-2027,U+2030-203A,U+20AC,U+2122,U+2190-2193,U+21BB,U+2212,U+2260,U+2264,U+2265,\
U+2500-257F,U+2580-2593,U+25A0,U+25A1,U+25B2,U+25B6,U+25BC,U+25CB,U+25CF,U+2713,U+2717,U+FFFD"
done
