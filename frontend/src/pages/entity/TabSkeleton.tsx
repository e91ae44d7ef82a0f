import { Skeleton } from '@mantine/core';

/** Two columns, as most tabs are. */
export function TabSkeleton() {
  return (
    <div role="status" aria-label="Loading" style={{ display: 'grid', gap: '1rem', paddingTop: '0.25rem' }}>
      <Skeleton height={120} radius="lg" />
      <Skeleton height={260} radius="lg" />
    </div>
  );
}
