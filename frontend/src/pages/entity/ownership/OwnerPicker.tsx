import { Autocomplete } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { searchQuery } from '~/api/queries';
import { titleOf } from '~/entity/read';
import { formatRef, refOf } from '~/entity/ref';

/** A group or user, found by words. Any ref may be typed too. */
export function OwnerPicker(props: { value: string; onChange: (ref: string) => void }) {
  const [words] = useDebouncedValue(props.value.replace(/^(group|user):(default\/)?/, ''), 150);
  const { data } = useQuery(
    searchQuery(words, {
      filter: 'entity.kind in ["Group", "User"]',
      pageSize: 8,
      fields: 'name,kind,metadata.name,metadata.title',
    }),
  );
  const titles = new Map(
    (data?.results ?? []).flatMap(({ entity }) => (entity ? [[formatRef(refOf(entity)), titleOf(entity)]] : [])),
  );
  return (
    <Autocomplete
      size="xs"
      label="New owner"
      placeholder="Find a group or a user"
      value={props.value}
      onChange={props.onChange}
      data={[...titles.keys()]}
      // The server has looked already, by more than the ref.
      filter={({ options }) => options}
      renderOption={({ option }) => (
        <span>
          {titles.get(option.value)} <span className="soft">{option.value}</span>
        </span>
      )}
      required
    />
  );
}
