export function Map({ centre, zoom }: { centre: [number, number]; zoom: number }) {
  return <div className="map" data-centre={centre.join(",")} data-zoom={zoom} />;
}
