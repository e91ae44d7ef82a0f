import { Page } from '~/parts/Page';

export default function HarvestPage() {
  return <Page title="HarvestPage">{null}</Page>;
}
