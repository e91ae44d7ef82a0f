import '@mantine/charts/styles.layer.css';
import { AreaChart } from '@mantine/charts';
import type { components } from '~/api/schema.gen';
import { ownedPercent } from './coverage';

type Sample = components['schemas']['waypost.ownership.v1.CoverageSample'];

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** How the share with an owner moved, a point a day; in words for those who cannot see it. */
export default function Trend({ samples }: { samples: Sample[] }) {
  const points = samples.flatMap((s) => {
    const owned = ownedPercent(s.coverage);
    return s.time && owned !== undefined
      ? [{ day: day.format(new Date(s.time)), Owned: Math.round(owned * 10) / 10 }]
      : [];
  });
  const first = points[0];
  const last = points.at(-1);
  return (
    <figure style={{ margin: 0 }}>
      <AreaChart
        h={90}
        data={points}
        dataKey="day"
        series={[{ name: 'Owned', color: 'trail.6' }]}
        unit=" %"
        withDots={points.length < 15}
        gridAxis="none"
        withYAxis={false}
        yAxisProps={{ domain: [0, 100] }}
        aria-hidden
      />
      <figcaption className="sr-only">
        {first && last ? `${first.Owned} % on ${first.day}, ${last.Owned} % on ${last.day}.` : 'No figures yet.'}
      </figcaption>
    </figure>
  );
}
