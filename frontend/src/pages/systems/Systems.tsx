import { Page } from '~/parts/Page';

export default function Systems() {
  return <Page title="Systems">{null}</Page>;
}
