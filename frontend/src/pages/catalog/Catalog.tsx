import { Page } from '~/parts/Page';

export default function Catalog() {
  return <Page title="Catalog">{null}</Page>;
}
