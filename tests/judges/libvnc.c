/* An ordinary viewer made of libvncclient with its defaults (RGBX pixels, its own list of encodings) except JPEG.
 * Usage: libvnc HOST:PORT, with VNC_USER and VNC_PASSWORD where a server asks for them; with VNC_FIXED_SIZE it cannot be resized. Prints "ready"; for each line of standard input, a file name, writes what it shows as a PPM file
 * and prints "written". Ends with status 1 when the connection fails. */
#include <poll.h>
#include <rfb/rfbclient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rfbCredential *credential(rfbClient *client, int type)
{
    const char *user = getenv("VNC_USER"), *password = getenv("VNC_PASSWORD");
    rfbCredential *given = malloc(sizeof *given);
    (void)client;
    if (type != rfbCredentialTypeUser || !user || !password || !given)
        exit(1);
    given->userCredential.username = strdup(user);
    given->userCredential.password = strdup(password);
    return given;
}

static int write_picture(const rfbClient *client, const char *file)
{
    FILE *out = fopen(file, "wb");
    if (!out)
        return 0;
    fprintf(out, "P6\n%d %d\n255\n", client->width, client->height);
    for (long i = 0; i < (long)client->width * client->height; i++) {
        uint32_t pixel;
        memcpy(&pixel, client->frameBuffer + 4 * i, 4);
        putc(pixel >> client->format.redShift & 255, out);
        putc(pixel >> client->format.greenShift & 255, out);
        putc(pixel >> client->format.blueShift & 255, out);
    }
    return fclose(out) == 0;
}

int main(int argc, char **argv)
{
    char line[4096];
    rfbClient *client = rfbGetClient(8, 3, 4);
    client->GetCredential = credential;
    client->canHandleNewFBSize = TRUE;
    client->appData.enableJPEG = FALSE;
    if (!rfbInitClient(client, &argc, argv))
        return 1;
    /* It offers ExtendedDesktopSize whatever its settings are: take that back, and everything but Raw and ZRLE. */
    if (getenv("VNC_FIXED_SIZE") && !WriteToRFBServer(client, "\2\0\0\2\0\0\0\0\0\0\0\20", 12))
        return 1;
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd ends[2] = {{.fd = client->sock, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
        if (poll(ends, 2, -1) < 0)
            return 1;
        if (ends[0].revents)
            do
                if (!HandleRFBServerMessage(client))
                    return 1;
            while (client->buffered);
        if (ends[1].revents) {
            if (!fgets(line, sizeof line, stdin))
                return 0;
            line[strcspn(line, "\n")] = 0;
            if (!write_picture(client, line))
                return 1;
            puts("written");
            fflush(stdout);
        }
    }
}
