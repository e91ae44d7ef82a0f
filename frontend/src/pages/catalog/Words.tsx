import { CloseButton, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { memo, useEffect, useRef, useState } from 'react';
import classes from './Catalog.module.css';

/** The field for free text. It keeps what is typed by itself, so that keys never wait for the address. */
export const Words = memo(function Words(props: { value: string; set: (words: string) => void; what: string }) {
  const [text, setText] = useState(props.value);
  const sent = useRef<string[]>([]);
  // What was sent comes back by the address later than the next key, and is no news. Else something
  // else changed it: a link, a step back, "Clear all".
  useEffect(() => {
    const at = sent.current.indexOf(props.value);
    if (at < 0) setText(props.value);
    sent.current = sent.current.slice(at + 1);
  }, [props.value]);
  const say = (words: string) => {
    setText(words);
    sent.current.push(words);
    props.set(words);
  };
  return (
    <TextInput
      className={classes.words}
      size="xs"
      aria-label={`Search in ${props.what}`}
      placeholder={`Search in ${props.what.toLowerCase()}…`}
      leftSection={<IconSearch size={15} stroke={1.7} aria-hidden />}
      rightSection={text ? <CloseButton size="xs" aria-label="Clear the search" onClick={() => say('')} /> : null}
      value={text}
      maxLength={500}
      onChange={(e) => say(e.currentTarget.value)}
      onKeyDown={(e) => {
        if (e.key === 'Escape' && text) say('');
      }}
      onBlur={() => {
        sent.current = [];
      }}
    />
  );
});
