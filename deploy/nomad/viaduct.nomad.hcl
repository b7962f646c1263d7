# nomad job run deploy/nomad/viaduct.nomad.hcl
# Three application servers, registered in Consul, and web servers that find them there by SRV.
variable "image" {
  type    = string
  default = "registry.example/shop:1"
}

job "shop" {
  datacenters = ["*"]
  type        = "service"

  update {
    max_parallel     = 1
    health_check     = "checks"
    min_healthy_time = "5s"
    auto_revert      = true
  }

  group "app" {
    count = 3

    network {
      port "http" {}
    }

    service {
      name = "shop-app"
      port = "http"

      check {
        type     = "tcp"
        interval = "2s"
        timeout  = "1s"
      }
    }

    # It leaves Consul first, and goes on until everybody knows.
    shutdown_delay = "5s"

    task "app" {
      driver       = "docker"
      kill_timeout = "45s"
      kill_signal  = "SIGTERM"

      config {
        image = var.image
        args  = ["app", "--config", "/local/viaduct.toml", "--listen", "0.0.0.0:${NOMAD_PORT_http}", "--workers", "2"]
        ports = ["http"]
      }

      template {
        destination = "local/viaduct.toml"
        data        = <<-TOML
          trusted_proxies = ["10.0.0.0/8", "loopback"]
        TOML
      }

      resources {
        cpu    = 500
        memory = 512
      }
    }
  }

  group "web" {
    count = 2

    network {
      port "http" {
        static = 8080
      }
    }

    service {
      name = "shop-web"
      port = "http"

      check {
        type     = "http"
        path     = "/healthz"
        interval = "2s"
        timeout  = "1s"
      }
    }

    task "web" {
      driver       = "docker"
      kill_timeout = "45s"
      kill_signal  = "SIGTERM"

      config {
        image = var.image
        args  = ["web", "--config", "/local/viaduct.toml", "--listen", "0.0.0.0:${NOMAD_PORT_http}"]
        ports = ["http"]
      }

      template {
        destination   = "local/viaduct.toml"
        change_mode   = "signal"
        change_signal = "SIGHUP"
        data          = <<-TOML
          [[route]]
          path = "/healthz"
          respond = { body = "ok" }

          [[route]]
          path = "/*"
          proxy = "srv+http://shop-app.service.consul"
          [route.proxy_options]
          balance = "least-connections"
          [route.proxy_options.discovery]
          dns_servers = "127.0.0.1:8600"
        TOML
      }

      resources {
        cpu    = 250
        memory = 256
      }
    }
  }
}
