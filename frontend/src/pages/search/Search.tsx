import { Page } from '~/parts/Page';

export default function Search() {
  return <Page title="Search">{null}</Page>;
}
