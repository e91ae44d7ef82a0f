import { Button, Checkbox, Popover, Stack } from '@mantine/core';
import { IconChevronDown } from '@tabler/icons-react';

/** Some of several, behind a button that says which. */
export function Choice(props: {
  label: string;
  /** What the button says when nothing is chosen. */
  none: string;
  options: { value: string; words: string }[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
}) {
  const words = props.options.filter((o) => props.chosen.includes(o.value)).map((o) => o.words);
  const said = words.length === 0 ? props.none : words.length > 2 ? `${words.length} chosen` : words.join(', ');
  return (
    <Popover position="bottom-start" shadow="md" trapFocus returnFocus>
      <Popover.Target>
        <Button
          size="xs"
          variant="default"
          fw={500}
          rightSection={<IconChevronDown size={13} aria-hidden />}
          aria-label={`${props.label}: ${said}`}
        >
          {said}
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label={props.label}>
        <Checkbox.Group value={props.chosen} onChange={props.onChange} aria-label={props.label}>
          <Stack gap="xs">
            {props.options.map((o) => (
              <Checkbox key={o.value} size="xs" value={o.value} label={o.words} />
            ))}
          </Stack>
        </Checkbox.Group>
      </Popover.Dropdown>
    </Popover>
  );
}
