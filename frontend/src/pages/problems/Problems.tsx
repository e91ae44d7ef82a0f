import { Page } from '~/parts/Page';

export default function Problems() {
  return <Page title="Problems">{null}</Page>;
}
