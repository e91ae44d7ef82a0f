import { Hero, ProductGrid } from "@acme/design-system";
import { featured } from "../queries";

export default async function Home() {
  return (
    <main>
      <Hero title="Out there is lovely. Take a jacket." />
      <ProductGrid products={await featured()} />
    </main>
  );
}
