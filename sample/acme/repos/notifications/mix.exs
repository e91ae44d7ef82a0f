defmodule Notifications.MixProject do
  use Mix.Project

  def project, do: [app: :notifications, version: "1.1.0"]
end
