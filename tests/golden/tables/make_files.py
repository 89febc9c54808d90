"""Writes the tables of this folder: the same 60 measurements of made-up houses in the forms that people's exports have. Seeded; run again to get the same files."""
import numpy as np
r = np.random.default_rng(11); n = 60
area = r.uniform(30, 240, n).round(1); rooms = r.integers(1, 8, n); town = r.choice(['Ulm', 'Köln', 'Jena'], n); day = np.datetime64('2021-03-01') + r.integers(0, 900, n)
price = (2100 * area + 9000 * rooms + np.where(town == 'Köln', 60000, 0) + r.normal(0, 8000, n)).round(2); sold = np.where(price > np.median(price), 'yes', 'no')
de = lambda v: f'{v:,.2f}'.replace(',', '_').replace('.', ',').replace('_', '.')
def write(name, lines, encoding='utf-8', end='\n', bom=False): open(name, 'wb').write((b'\xef\xbb\xbf' if bom else b'') + (end.join(lines) + end).encode(encoding))
rows = list(zip(range(1001, 1001 + n), area, rooms, town, day, price, sold))
head = 'id,area,rooms,town,day,price,sold'
plain = [head] + [f'{i},{a},{m},{t},{d},{p},{s}' for i, a, m, t, d, p, s in rows]
write('plain.csv', plain)
write('crlf_bom.csv', plain, end='\r\n', bom=True)
write('latin1.csv', plain, 'latin-1')
write('german.csv', ['id;area;rooms;town;day;price;sold'] + [f'{i};{de(a)};{m};{t};{str(d)[8:]}.{str(d)[5:7]}.{str(d)[:4]};{de(p)};{s}' for i, a, m, t, d, p, s in rows])
gap = ['', 'NA', '?', 'NaN', '-', 'null']
write('missing.csv', [head] + [f'{i},{gap[k % 6] if k % 9 == 4 else a},{"" if k % 11 == 3 else m},{"N/A" if k % 13 == 5 else t},{d},{p},{s}' for k, (i, a, m, t, d, p, s) in enumerate(rows)])
write('quoted.csv', [head] + [f'"{i}","{a}","{m}","{t}, ""old town""\nsouth","{d}","{p}","{s}"' for i, a, m, t, d, p, s in rows])
write('currency.csv', [head] + [f'{i},{a} m2,{m},{t},{d},"${p:,.2f}",{s}' for i, a, m, t, d, p, s in rows])
write('index.csv', [',area,rooms,town,day,price,sold'] + [f'{k},{a},{m},{t},{d},{p},{s}' for k, (i, a, m, t, d, p, s) in enumerate(rows)])
write('blanks.txt', [f'{a:.6e} {m:.6e} {p:.6e}' for i, a, m, t, d, p, s in rows])
write('comments.tsv', ['# houses, second export', '# units: m2, EUR', head.replace(',', '\t')] + ['\t'.join(map(str, x)) for x in rows])
write('one_to_three.csv', ['area,price,class'] + [f'{a},{p},{1 + k % 3}' for k, (i, a, m, t, d, p, s) in enumerate(rows)])
write('tags.csv', ['area,price,tags'] + [f'{a},{p},{";".join(x for x, on in (("garden", a > 120), ("lift", m > 4), ("quiet", k % 3 == 0)) if on)}' for k, (i, a, m, t, d, p, s) in enumerate(rows)])
write('houses.svm', [f'{p} 1:{a} 2:{m}' + (' 3:1' if t == 'Köln' else '') for i, a, m, t, d, p, s in rows])
write('duplicate_names.csv', ['area,area,price'] + [f'{a},{a / 2:.1f},{p}' for i, a, m, t, d, p, s in rows])
write('year_columns.csv', ['region,2019,2020,2021'] + [f'{t},{a},{a * 1.02:.2f},{a * 1.05:.2f}' for i, a, m, t, d, p, s in rows])
write('stamps.csv', ['when,area,price'] + [f'{1614556800000000000 + 86400000000000 * k},{a},{p}' for k, (i, a, m, t, d, p, s) in enumerate(rows)])
