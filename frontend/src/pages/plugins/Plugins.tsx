import { Page } from '~/parts/Page';

export default function Plugins() {
  return <Page title="Plugins">{null}</Page>;
}
