import { Page } from '~/parts/Page';

export default function Teams() {
  return <Page title="Teams">{null}</Page>;
}
