"""An ordinary viewer made of gtk-vnc with its defaults. Usage: gtk_vnc_viewer.py HOST PORT, with VNC_USER and VNC_PASSWORD
where a server asks for them.

For each line of standard input, a file name, writes what it shows as a PPM file and prints "written" ("nothing" before the first picture).
Ends with status 1 when the connection fails."""
import os
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("GtkVnc", "2.0")
from gi.repository import GLib, Gtk, GtkVnc


def answer(source, condition, display):
    name = sys.stdin.readline().strip()
    if not name:
        Gtk.main_quit()
        return False
    pixbuf = display.get_pixbuf()
    if pixbuf is None:
        print("nothing", flush=True)
        return True
    width, height, stride = pixbuf.get_width(), pixbuf.get_height(), pixbuf.get_rowstride()
    channels, pixels = pixbuf.get_n_channels(), pixbuf.get_pixels()
    with open(name, "wb") as out:
        out.write(b"P6\n%d %d\n255\n" % (width, height))
        for y in range(height):
            row = pixels[y * stride : y * stride + width * channels]
            if channels == 4:
                plain = bytearray(width * 3)
                for channel in range(3):
                    plain[channel::3] = row[channel::4]
                row = bytes(plain)
            out.write(row)
    print("written", flush=True)
    return True


def failed(*_):
    sys.exit(1)


def asked(display, kinds):
    given = {GtkVnc.DisplayCredential.USERNAME: "VNC_USER", GtkVnc.DisplayCredential.PASSWORD: "VNC_PASSWORD"}
    for kind, name in given.items():
        display.set_credential(kind, os.environ.get(name, ""))


window = Gtk.Window()
display = GtkVnc.Display()
display.set_shared_flag(True)
display.set_read_only(True)
display.connect("vnc-auth-credential", asked)
display.connect("vnc-disconnected", failed)
window.add(display)
window.show_all()
display.open_host(sys.argv[1], sys.argv[2])
GLib.io_add_watch(sys.stdin, GLib.IO_IN, answer, display)
Gtk.main()
