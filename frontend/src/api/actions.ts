import { useMutation, useQueryClient } from '@tanstack/react-query';

/** A call that changes something; what its keys begin with is asked for again when it is done. */
export function useAction<Input, Output>(call: (input: Input) => Promise<Output>, old: string[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: call,
    onSettled: () => Promise.all(old.map((key) => client.invalidateQueries({ queryKey: [key] }))),
  });
}
