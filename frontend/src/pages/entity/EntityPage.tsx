import { Page } from '~/parts/Page';

export default function EntityPage() {
  return <Page title="EntityPage">{null}</Page>;
}
