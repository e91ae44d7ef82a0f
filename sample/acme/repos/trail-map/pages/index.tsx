import { Map } from "../components/map";

export default function Trails() {
  return <Map centre={[8.55, 61.63]} zoom={9} />;
}
