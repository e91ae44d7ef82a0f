import { Page } from '~/parts/Page';

export default function OwnershipReport() {
  return <Page title="OwnershipReport">{null}</Page>;
}
