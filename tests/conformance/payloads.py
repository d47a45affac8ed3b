"""What groups 12 and 13 send in place of Autobahn's files: made here, of the same kinds, the same in each run. Each has 192 Ki
characters (or octets), a length at which few different messages come out of it, so that the client compresses each once."""

import random

SIZE = 192 << 10
WORDS = ('Habe nun ach Philosophie Juristerei und Medizin durchaus studiert mit heißem Bemühn Da steh ich armer Tor '
         'so klug als wie zuvor heiße Magister Doktor gar ziehe schon an die zehen Jahr herauf herab quer krumm').split()


def grown(next_part):
    parts, size = [], 0
    while size < SIZE:
        parts.append(next_part())
        size += len(parts[-1])
    return parts[0][:0].join(parts)[:SIZE]


def json_text():
    rand = random.Random('json')
    row = '  {"id": %d, "name": {"first": "%s", "last": "%s"}, "position": {"x": %d, "y": %d}, "visible": %s, "selected": %s},\n'
    return grown(lambda: row % (
        rand.randrange(10**4), rand.choice(WORDS), rand.choice(WORDS), rand.randrange(800), rand.randrange(600),
        rand.choice(('true', 'false')), rand.choice(('true', 'false'))))


def bitmap():
    """Grey slopes under a little noise."""
    rand = random.Random('bitmap')
    return bytes((x // 8 + y // 4 + (rand.randrange(8) if x % 5 == 0 else 0)) & 0xff for y in range(SIZE // 512) for x in range(512))


def german():
    rand = random.Random('german')
    return grown(lambda: rand.choice(WORDS) + rand.choice((' ', ' ', ' ', ', ', '.\r\n'))).encode()[:SIZE]


def html():
    rand = random.Random('html')
    return grown(lambda: '<tr class="row%d"><td><a href="/wiki/%s">%s</a></td><td>%d €</td></tr>\n' % (
        rand.randrange(2), rand.choice(WORDS), rand.choice(WORDS), rand.randrange(10**4)))


def pdf():
    """Streams that are compressed already, between a little text."""
    rand = random.Random('pdf')
    return grown(lambda: b'%d 0 obj\n<< /Length 4000 /Filter /FlateDecode >>\nstream\n%s\nendstream\nendobj\n' % (
        rand.randrange(1000), rand.randbytes(4000)))
