"""The invented county: its bridges as they would be typed in, and how inspections of them are made up."""

import random
import textwrap
from datetime import timedelta

REGIONS = ('Upper Wend', 'Lower Wend', 'Allerdale', 'Moorside', 'The Levels', 'Harbour')

# number, name, region, kind, traffic, material, crosses, built, length in metres, spans
BRIDGES = (
    ('W-101', 'Priory Bridge', 0, 'arch', 'road', 'Sandstone', 'the Wend', 1487, 38.5, 3),
    ('W-102', 'Old Mill Bridge', 0, 'arch', 'foot', 'Sandstone', 'the Mill Leat', 1712, 9.4, 1),
    ('W-103', 'Thornby Viaduct', 0, 'arch', 'rail', 'Engineering brick', 'the Wend valley', 1868, 412.0, 17),
    ('W-104', 'Shepherd’s Bridge', 0, 'beam', 'foot', 'Oak', 'Tarn Beck', 1994, 12.0, 2),
    ('W-105', 'Highfold Bridge', 0, 'beam', 'road', 'Reinforced concrete', 'Tarn Beck', 1958, 24.6, 2),
    ('W-106', 'Cauldron Footbridge', 0, 'suspension', 'foot', 'Wire rope and larch', 'Cauldron Gorge', 1931, 46.2, 1),
    ('W-107', 'Weavers’ Bridge', 0, 'truss', 'rail', 'Wrought iron', 'the Wend', 1884, 61.0, 2),
    ('W-201', 'Great Wend Bridge', 1, 'suspension', 'road', 'Steel', 'the Wend', 1936, 318.0, 3),
    ('W-202', 'Market Bridge', 1, 'arch', 'road', 'Limestone', 'the Wend', 1795, 72.3, 5),
    ('W-203', 'Saltersgate Bridge', 1, 'beam', 'road', 'Prestressed concrete', 'the Wend', 1972, 96.0, 3),
    ('W-204', 'Swing Bridge', 1, 'truss', 'road', 'Steel', 'the Wend Navigation', 1908, 44.0, 2),
    ('W-205', 'Coopers’ Footbridge', 1, 'cable', 'foot', 'Steel', 'the Wend', 2009, 88.0, 1),
    ('W-206', 'Kiln Lane Bridge', 1, 'arch', 'road', 'Brick', 'the Wend Navigation', 1799, 11.8, 1),
    ('W-207', 'Abbotsford Bridge', 1, 'beam', 'rail', 'Steel', 'Abbots Road', 1963, 18.5, 1),
    ('A-301', 'Aller Bridge', 2, 'arch', 'road', 'Granite', 'the Aller', 1832, 54.0, 4),
    ('A-302', 'Stepping Bridge', 2, 'beam', 'foot', 'Slate', 'Hob Beck', 1650, 14.0, 6),
    ('A-303', 'Ravensgill Viaduct', 2, 'truss', 'rail', 'Steel', 'Ravens Gill', 1876, 201.0, 6),
    ('A-304', 'Quarry Bridge', 2, 'truss', 'road', 'Steel', 'the Aller', 1948, 33.0, 1),
    ('A-305', 'Chapel Bridge', 2, 'arch', 'foot', 'Rubble stone', 'Chapel Beck', 1560, 8.2, 1),
    ('A-306', 'Long Bridge', 2, 'beam', 'road', 'Prestressed concrete', 'the Aller', 1981, 142.0, 5),
    ('A-307', 'Fellside Footbridge', 2, 'suspension', 'foot', 'Wire rope and oak', 'the Aller', 1987, 39.0, 1),
    ('M-401', 'Drover’s Bridge', 3, 'arch', 'foot', 'Gritstone', 'Black Beck', 1690, 10.5, 1),
    ('M-402', 'Moss Viaduct', 3, 'arch', 'rail', 'Gritstone', 'the Moss', 1873, 268.0, 11),
    ('M-403', 'Peat Road Bridge', 3, 'beam', 'road', 'Reinforced concrete', 'Black Beck', 1966, 16.0, 1),
    ('M-404', 'Lead Mine Bridge', 3, 'arch', 'road', 'Gritstone', 'Smelt Beck', 1804, 13.7, 1),
    ('M-405', 'Curlew Footbridge', 3, 'beam', 'foot', 'Glued larch', 'Smelt Beck', 2016, 21.0, 1),
    ('M-406', 'Reservoir Bridge', 3, 'truss', 'road', 'Steel', 'Harker Reservoir', 1927, 85.0, 3),
    ('L-501', 'Eel Bridge', 4, 'beam', 'road', 'Reinforced concrete', 'the Great Drain', 1954, 19.0, 1),
    ('L-502', 'Sluice Bridge', 4, 'arch', 'road', 'Brick', 'the Great Drain', 1821, 27.0, 3),
    ('L-503', 'Willow Footbridge', 4, 'beam', 'foot', 'Galvanised steel', 'Willow Dyke', 1999, 15.5, 1),
    ('L-504', 'Levels Railway Bridge', 4, 'truss', 'rail', 'Steel', 'the Great Drain', 1911, 36.0, 1),
    ('L-505', 'Causeway Bridge', 4, 'beam', 'road', 'Prestressed concrete', 'the Levels', 1976, 188.0, 8),
    ('L-506', 'Heron Bridge', 4, 'cable', 'foot', 'Steel', 'the Wend', 2014, 121.0, 2),
    ('H-601', 'Harbour Crossing', 5, 'cable', 'road', 'Steel and concrete', 'the Wend mouth', 2003, 640.0, 5),
    ('H-602', 'Customs Bridge', 5, 'truss', 'road', 'Steel', 'the Old Dock', 1922, 29.0, 1),
    ('H-603', 'Ropewalk Bridge', 5, 'suspension', 'foot', 'Steel', 'the Old Dock', 1998, 52.0, 1),
    ('H-604', 'Tidegate Bridge', 5, 'beam', 'road', 'Reinforced concrete', 'the Tide Basin', 1961, 41.0, 2),
    ('H-605', 'Fish Quay Footbridge', 5, 'truss', 'foot', 'Aluminium', 'the Tide Basin', 2011, 26.0, 1),
    ('H-606', 'Harbour Branch Viaduct', 5, 'arch', 'rail', 'Brick', 'Harbour Street', 1859, 156.0, 12),
    ('H-607', 'Lighthouse Causeway', 5, 'beam', 'foot', 'Granite', 'the foreshore', 1778, 94.0, 14),
)

SUMMARIES = {
    1: ('No defects of note. Drainage runs freely after the storm.', 'In very good order after the repairs of last summer.'),
    2: ('Sound throughout; light weathering on the upstream face.', 'Good order. Vegetation at the abutments to be cut back.'),
    3: ('Fair. Joints leak in several places and should be sealed within two years.', 'Open mortar joints over the second pier; no movement seen.'),
    4: ('Poor. Corrosion at the bearings has gone on since the last visit; a principal inspection is advised.', 'Cracks through the parapet on the east side. Fenced off until the repair.'),
    5: ('Critical. Scour below the middle pier: closed to all but foot traffic until it is filled.',),
}

NOTES = {
    'deck': ('Worn surface along the wheel tracks', 'Pothole at the north end', 'Loose board'),
    'parapet': ('Capping stone missing', 'Crack, 2 mm, full height', 'Rust at the posts'),
    'bearing': ('Roller seized', 'Rust, flaking', 'Packing has moved'),
    'joint': ('Seal torn', 'Leaks after rain', 'Filled with grit'),
    'pier': ('Scour, 0.4 m below the footing', 'Mortar washed out at the water line', 'Spalling, bar visible'),
    'abutment': ('Ivy in the joints', 'Damp patch below the deck', 'Slight bulge, no change'),
    'drainage': ('Gully blocked', 'Outlet pipe broken', 'Weep holes blocked'),
}

NOTICES = (
    ('W-101', 'Ruth Aldous', 'A stone has come off the wall in the middle of the bridge and lies in the river.', 'new'),
    ('W-205', 'Imran Qureshi', 'Two lights at the south end have been out since Friday.', 'new'),
    ('L-505', 'T. Marsh', 'There is a loud bang each time a lorry drives over the third joint.', 'seen'),
    ('H-603', 'Greta Lund', 'The handrail is loose where the path comes up from the dock.', 'done'),
)


def description(kind, traffic, material, crosses, built, spans):
    age = 'one of the oldest of the county' if built < 1700 else 'listed' if built < 1850 else 'in daily use'
    who = {'road': 'road', 'rail': 'railway', 'foot': 'path'}[traffic]
    arms = {'arch': 'arch', 'beam': 'span', 'truss': 'truss', 'suspension': 'span', 'cable': 'span'}[kind]
    several = 'a single' if spans == 1 else f'{spans}'
    plural = '' if spans == 1 else 'es' if arms in ('arch', 'truss') else 's'
    return f'It carries the {who} over {crosses} in {several} {arms}{plural} of {material.lower()}, built in {built} and {age}.'


def inspections(seed, today):
    """Yield (date, kind, rating, summary, defects) of one bridge, oldest first; defects are (element, severity, note)."""
    chance = random.Random(seed)
    rating = chance.choice((1, 1, 2, 2, 2, 3))
    day = today - timedelta(days=chance.randrange(8 * 365, 9 * 365))
    number = 0
    while day < today:
        kind = 'principal' if number % 6 == 5 else 'special' if rating >= 4 else 'general'
        defects = [make_defect(chance, rating) for _ in range(chance.randrange(rating) + (rating > 2))]
        yield day, kind, rating, chance.choice(SUMMARIES[rating]), defects
        rating = after(chance, rating)
        day += timedelta(days=chance.randrange(150, 320) if rating >= 4 else chance.randrange(330, 700))
        number += 1


def after(chance, rating):
    """What a bridge is like at the next visit: bad ones are repaired, good ones age."""
    if rating >= 4 and chance.random() < 0.6:
        return chance.choice((1, 2))
    return min(5, rating + chance.choice((0, 0, 0, 1, 1) if rating < 4 else (0, 0, 0, 1)))


def make_defect(chance, rating):
    element = chance.choice(list(NOTES))
    return element, min(3, max(1, rating - chance.randrange(1, 3))), chance.choice(NOTES[element])


def report_pdf(title, lines):
    """A PDF document of one page, as small as one can be."""
    wrapped = [part for line in (title, '', *lines) for part in textwrap.wrap(line, 80) or ['']]
    text = ' '.join(f'({escaped(line)}) Tj T*' for line in wrapped)
    page = f'BT /F 12 Tf 18 TL 70 770 Td {text} ET'.encode('cp1252', 'replace')
    objects = [
        b'<< /Type /Catalog /Pages 2 0 R >>',
        b'<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
        b'<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>',
        b'<< /Length %d >>\nstream\n%s\nendstream' % (len(page), page),
        b'<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>',
    ]
    out, offsets = b'%PDF-1.4\n', []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b'%d 0 obj\n%s\nendobj\n' % (number, body)
    table = b''.join(b'%010d 00000 n \n' % offset for offset in offsets)
    end = b'trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n' % (len(objects) + 1, len(out))
    return out + b'xref\n0 %d\n0000000000 65535 f \n' % (len(objects) + 1) + table + end


def escaped(line):
    return line.replace('\\', r'\\').replace('(', r'\(').replace(')', r'\)')
