defmodule Notifications do
  @moduledoc "Says what has to be said, between eight and eight."
end
